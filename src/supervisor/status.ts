/** What the outside learns of a running pod: files in its directory, each written as a whole. */
import { appStatus, POD, READY } from '../abi/pod-directory.ts';
import { unless } from '../native/errors.ts';
import { mkdirAll, symlink, unlink } from '../native/paths.ts';
import { getpid } from '../native/processes.ts';
import { record } from './record.ts';

/** Its modification time is when the pod started. */
export function recordPid(): void {
  record(POD.pid, `${getpid()}\n`, 0o640);
}

export function prepareStatus(): void {
  mkdirAll(POD.status, 0o755);
}

export function recordExit(app: string, code: number): void {
  record(appStatus(app), `${code}\n`, 0o640);
}

/** Of an app that is about to run again. */
export function forgetExit(app: string): void {
  unless(['ENOENT'], () => unlink(appStatus(app)));
}

/** All apps have been started. */
export function recordReady(): void {
  unless(['EEXIST'], () => symlink(READY, POD.supervisorStatus));
}
