/** The entrypoint `stop`: a SIGTERM for the app, and what follows where it takes no notice. */
import { parseAppState } from '../src/abi/app-state.ts';
import { EXIT } from '../src/abi/exit-code.ts';
import { POD } from '../src/abi/pod-directory.ts';
import { parseStopArguments } from '../src/abi/stage1.ts';
import { monotonicMilliseconds } from '../src/native/clock.ts';
import { readTextIfPresent } from '../src/native/contents.ts';
import { readdir } from '../src/native/directories.ts';
import { unless } from '../src/native/errors.ts';
import { File } from '../src/native/files.ts';
import { pollReadable } from '../src/native/polling.ts';
import { killOpen, openProcess } from '../src/native/processes.ts';
import { SupervisorError } from '../src/supervisor/error.ts';
import { STOP_GRACE_SECONDS } from '../src/supervisor/plan/plan.ts';
import { openSupervisor } from '../src/supervisor/starting.ts';

/** Between two attempts at an app that is only being started. */
const RETRY_MS = 100;
/** What a process that is killed may need to be gone. */
const END_SECONDS = 10;

/** @throws SupervisorError */
export function stop(args: readonly string[]): number {
  const { force } = parseStopArguments(args);
  using supervisor = openSupervisor();
  if (supervisor === undefined) throw new SupervisorError('no-supervisor', 'the pod has ended');
  if (!force) killOpen(supervisor.fd, 'SIGTERM');
  if (!force && hasEnded(supervisor.fd, STOP_GRACE_SECONDS * 1000)) return EXIT.ok;
  const deadline = monotonicMilliseconds() + END_SECONDS * 1000;
  while (monotonicMilliseconds() < deadline) {
    killChild(supervisor.pid);
    if (hasEnded(supervisor.fd, RETRY_MS)) return EXIT.ok;
  }
  throw new SupervisorError('refused', `the app does not end by SIGKILL within ${END_SECONDS} seconds`);
}

function hasEnded(process: number, milliseconds: number): boolean {
  return pollReadable([process], milliseconds).includes(true);
}

/** The pod's one app. Its number may be another's by now: it must be the supervisor's child, whose number is not free while it lives. */
function killChild(supervisor: number): void {
  const pid = unless(['ENOENT'], () => readdir(POD.appState).map(pidOf).find(isNumber));
  if (pid === undefined || parentOf(pid) !== supervisor) return;
  const fd = unless(['ESRCH', 'EINVAL'], () => openProcess(pid));
  if (fd === undefined) return;
  using app = new File(fd);
  if (parentOf(pid) === supervisor) killOpen(app.fd, 'SIGKILL');
}

function pidOf(file: string): number | undefined {
  const text = readTextIfPresent(`${POD.appState}/${file}`);
  return text === undefined ? undefined : (parseAppState(JSON.parse(text)).pid ?? undefined);
}

function isNumber(value: number | undefined): value is number {
  return value !== undefined;
}

function parentOf(pid: number): number | undefined {
  const status = unless(['ENOENT', 'ESRCH'], () => readTextIfPresent(`/proc/${pid}/status`));
  const [, parent] = /^PPid:\t(\d+)$/m.exec(status ?? '') ?? [];
  return parent === undefined ? undefined : Number(parent);
}
