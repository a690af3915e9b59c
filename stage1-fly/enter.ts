/** The entrypoint `enter`: this process becomes one in a running app, as its user, in its root and its mounts. */
import { POD } from '../src/abi/pod-directory.ts';
import { parseEnterArguments } from '../src/abi/stage1.ts';
import { readTextIfPresent, writeControl } from '../src/native/contents.ts';
import { unless } from '../src/native/errors.ts';
import { open, open_ } from '../src/native/files.ts';
import { setNamespace } from '../src/native/mounts.ts';
import { chdir } from '../src/native/processes.ts';
import { performStep, type Step } from '../src/native/spawn-steps.ts';
import { callerName } from '../src/supervisor/caller.ts';
import { isTerminal } from '../src/supervisor/endpoints.ts';
import { SupervisorError } from '../src/supervisor/error.ts';
import { SUPERVISOR_GROUP } from '../src/supervisor/group-names.ts';
import { type PodApp, readPod } from '../src/supervisor/plan/pod.ts';
import { Report } from '../src/supervisor/report.ts';
import { openSupervisor } from '../src/supervisor/starting.ts';
import {
  becomeProgram,
  type FlyProcess,
  failureCode,
  identitySteps,
  ownEnvironment,
  planProcess,
  terminalType,
} from './process.ts';

const STDIN = 0;

/** Returns only the code of a program that could not be started. @throws SupervisorError */
export function enter(args: readonly string[]): number {
  const { app: name, command } = parseEnterArguments(args);
  joinPod();
  const app = readPod({ uuid: '', hostname: null }).apps.find((candidate) => candidate.name === name);
  if (app === undefined) throw new SupervisorError('refused', `the pod has no app ${JSON.stringify(name)}`);
  const term = isTerminal(STDIN) ? terminalType() : undefined;
  return become(app, { ...planProcess(app, ownEnvironment(null), term), argv: command });
}

/** The pod's groups first, whose files are the host's: with the pod this process ends. */
function joinPod(): void {
  using supervisor = openSupervisor();
  if (supervisor === undefined) throw new SupervisorError('no-supervisor', 'the pod has ended');
  for (const group of podGroups()) unless(['ENOENT'], () => writeControl(`${group}/cgroup.procs`, '0'));
  const directory = open(`/proc/${supervisor.pid}/cwd`, open_.path | open_.directory);
  setNamespace(open(`/proc/${supervisor.pid}/ns/mnt`, open_.readOnly), 'mount');
  chdir(directory);
}

function podGroups(): string[] {
  const recorded = readTextIfPresent(POD.cgroups)?.split('\n') ?? [];
  return recorded.filter((line) => line.startsWith('/') && !line.includes(`/${SUPERVISOR_GROUP}`));
}

function become({ rootfs }: PodApp, process: FlyProcess): number {
  let doing = 'chroot';
  const steps: readonly Step[] = [{ do: 'chroot', path: rootfs }, ...identitySteps(process)];
  try {
    for (const step of steps) {
      doing = step.do;
      performStep(step, () => true);
    }
    doing = 'exec';
    return becomeProgram(process);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    new Report(callerName(), false).say(error.message);
    return failureCode(doing);
  }
}
