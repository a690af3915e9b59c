import { writeFile } from '../native/contents.ts';
import { unless } from '../native/errors.ts';
import { chmod, mkdirAll, rename } from '../native/paths.ts';

/**
 * Writes a file as a whole, for readers and for whatever kills us. It is not forced to the disk, which can take longer than
 * starting a machine: after a power cut what it says of a running pod is void anyway.
 */
export function record(path: string, text: string, mode: number): void {
  const temporary = `${path}.tmp`;
  writeFile(temporary, text, mode);
  // The umask may have cut the mode.
  chmod(temporary, mode);
  rename(temporary, path);
}

const REFUSALS = ['ENOSPC', 'EDQUOT', 'EIO', 'EROFS'];

/**
 * The same of what only tells of a pod, in a directory that is made when it is missing: a disk that takes nothing makes it old,
 * and is no reason to end the pod.
 */
export function recordIfPossible(path: string, text: string, mode: number): void {
  const slash = path.lastIndexOf('/');
  unless(REFUSALS, () => {
    if (slash !== -1) mkdirAll(path.slice(0, slash), 0o750);
    record(path, text, mode);
  });
}
