/** A supervisor that cannot be talked to: not yet, or never. */
import { POD } from '../abi/pod-directory.ts';
import { readTextIfPresent } from '../native/contents.ts';
import { unless } from '../native/errors.ts';
import { close, File } from '../native/files.ts';
import { killOpen, openProcess } from '../native/processes.ts';
import { isSameFile, stat } from '../native/stat.ts';

const GONE = ['ENOENT', 'ESRCH', 'EINVAL', 'EACCES'];

/** Ends it as a signal to it would; false where there is none. The current directory is the pod's. */
export function stopStarting(): boolean {
  using process = openSupervisor();
  if (process === undefined) return false;
  killOpen(process.fd, 'SIGTERM');
  return true;
}

/** The pod's, whose directory is the current one, as long as it lives. Its fd stands for the process. */
export function openSupervisor(): OpenSupervisor | undefined {
  const pid = Number(readTextIfPresent(POD.pid)?.trim() ?? '');
  if (!Number.isSafeInteger(pid) || pid < 1) return undefined;
  const fd = unless(GONE, () => openProcess(pid));
  if (fd === undefined) return undefined;
  const process = new OpenSupervisor(fd, pid);
  // The number may be another's by now: a supervisor's current directory is its pod's.
  const directory = unless(GONE, () => stat(`/proc/${pid}/cwd`));
  if (directory !== undefined && isSameFile(directory, stat('.'))) return process;
  close(fd);
  return undefined;
}

class OpenSupervisor extends File {
  constructor(
    fd: number,
    readonly pid: number,
  ) {
    super(fd);
  }
}
