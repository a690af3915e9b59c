/** A supervisor that cannot be talked to yet. */
import { POD } from '../abi/pod-directory.ts';
import { readTextIfPresent } from '../native/contents.ts';
import { unless } from '../native/errors.ts';
import { File } from '../native/files.ts';
import { killOpen, openProcess } from '../native/processes.ts';
import { isSameFile, stat } from '../native/stat.ts';

const GONE = ['ENOENT', 'ESRCH', 'EINVAL', 'EACCES'];

/** Ends it as a signal to it would; false where there is none. The current directory is the pod's. */
export function stopStarting(): boolean {
  const pid = Number(readTextIfPresent(POD.pid)?.trim() ?? '');
  if (!Number.isSafeInteger(pid) || pid < 1) return false;
  const fd = unless(GONE, () => openProcess(pid));
  if (fd === undefined) return false;
  using process = new File(fd);
  // The number may be another's by now: a supervisor's current directory is its pod's.
  const directory = unless(GONE, () => stat(`/proc/${pid}/cwd`));
  if (directory === undefined || !isSameFile(directory, stat('.'))) return false;
  killOpen(process.fd, 'SIGTERM');
  return true;
}
