import { monotonicMilliseconds, sleep } from '../../native/clock.ts';
import { unless } from '../../native/errors.ts';
import { File, open_, tryLock } from '../../native/files.ts';

const POLL_MILLISECONDS = 10;

/**
 * The file, which is made where there is none, open and locked for us alone; undefined where that cannot be had in time, or its
 * directory is not there.
 */
export function lockWithin(path: string, milliseconds: number): File | undefined {
  const file = unless(['ENOENT', 'ENOTDIR'], () => File.open(path, open_.readWrite | open_.create, 0o640));
  if (file === undefined) return undefined;
  const deadline = monotonicMilliseconds() + milliseconds;
  while (!tryLock(file.fd, 'exclusive')) {
    if (monotonicMilliseconds() > deadline) {
      file[Symbol.dispose]();
      return undefined;
    }
    sleep(POLL_MILLISECONDS);
  }
  return file;
}
