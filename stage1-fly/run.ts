/** The entrypoint `run`: the process that stage0 was becomes the app's parent, and holds the pod's lock until the app has ended. */
import { POD } from '../src/abi/pod-directory.ts';
import { parsePublishedPorts } from '../src/abi/published-ports.ts';
import { parseRunArguments } from '../src/abi/stage1.ts';
import { readTextIfPresent } from '../src/native/contents.ts';
import { Loop } from '../src/native/loop.ts';
import { AppLogs } from '../src/supervisor/app-logs.ts';
import { isDetached } from '../src/supervisor/detached.ts';
import { isTerminal } from '../src/supervisor/endpoints.ts';
import { HostSide } from '../src/supervisor/network/host-side.ts';
import { givenFiles, planCovers } from '../src/supervisor/network/names.ts';
import { refuseUnenforced } from '../src/supervisor/plan/isolators.ts';
import { type Pod, readPod } from '../src/supervisor/plan/pod.ts';
import { refuseSocketActivation } from '../src/supervisor/plan/socket-activation.ts';
import { Report } from '../src/supervisor/report.ts';
import { keepLock, leaveNoCgroup, openCgroup } from '../src/supervisor/running/holdings.ts';
import { prepareStatus, recordExit, recordPid } from '../src/supervisor/status.ts';
import { AppRun } from './app-run.ts';
import { cgroupWishes } from './group.ts';
import { LoggedOutput } from './output.ts';
import { ownEnvironment, planProcess, terminalType } from './process.ts';
import { openParts } from './root.ts';
import { ignored, ignoredOfVolume, onlyApp, unenforced } from './unsupported.ts';

const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;

/** The exit code of the pod. @throws SupervisorError, AbiError, SystemError for a pod that cannot be started */
export function run(args: readonly string[]): number {
  const options = parseRunArguments(args);
  const report = new Report('run', options.debug);
  keepLock();
  report.step('supervisor runs', { name: 'supervisor' });
  const pod = readPod(options);
  const app = onlyApp(pod, options);
  refuseSocketActivation(pod.apps, 'stage1-fly does not hand on');
  const without = unenforced(pod);
  if (options.strictIsolators) refuseUnenforced(without);
  const asked = { ...options, hostname: askedHostname(options.hostname) };
  for (const line of [...without, ...ignored(asked, pod, publishedPorts())]) report.warn(line);
  const term = isTerminal(STDIN) ? terminalType() : undefined;
  const process = planProcess(app, ownEnvironment(options.mdsToken), term);
  const parts = openParts(
    app.name,
    process,
    HostSide.given(),
    planCovers(givenFiles(options.names), [], false),
  );
  for (const line of parts.volumes.flatMap(ignoredOfVolume)) report.warn(line);
  recordPid();
  prepareStatus();
  const loop = new Loop();
  const outputs = isDetached() ? loggedOutputs(loop, pod, app.name, report) : undefined;
  const cgroup = openCgroup(pod.uuid, cgroupWishes(), report);
  report.step('root set up', { name: 'set-up' });
  let code: number;
  try {
    const fds = [STDIN, outputs?.[0].write ?? STDOUT, outputs?.[1].write ?? STDERR];
    const running = new AppRun(loop, report, { app, process, parts, cgroup, fds });
    for (const output of outputs ?? []) output.release();
    code = running.wait();
  } finally {
    // Whatever else the app has started ends with it.
    leaveNoCgroup(cgroup, report);
    for (const output of outputs ?? []) output.close();
  }
  recordExit(app.name, code);
  return code;
}

/** A pod's name stands for its host name, which nobody has asked for then. */
function askedHostname(given: string | null): string | null {
  return given === readTextIfPresent(POD.name)?.trimEnd() ? null : given;
}

function publishedPorts(): number {
  const text = readTextIfPresent(POD.ports);
  return text === undefined ? 0 : parsePublishedPorts(text).length;
}

/** Of a pod that nobody is behind: otherwise the app has its caller's, as in rkt. */
function loggedOutputs(loop: Loop, { manifest }: Pod, app: string, report: Report) {
  const logs = new AppLogs(manifest, (message) => report.warn(message));
  return [
    new LoggedOutput(loop, logs.writer(app, 'stdout')),
    new LoggedOutput(loop, logs.writer(app, 'stderr')),
  ] as const;
}
