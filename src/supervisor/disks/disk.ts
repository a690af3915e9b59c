/** Files and devices of the host that are a pod's disks. */
import { monotonicMilliseconds, sleep } from '../../native/clock.ts';
import { SystemError, unless } from '../../native/errors.ts';
import { close, endOf, open, open_, tryLock } from '../../native/files.ts';
import { fstat } from '../../native/stat.ts';
import { SupervisorError } from '../error.ts';

export interface Disk extends Disposable {
  readonly fd: number;
  readonly kind: 'file' | 'block';
  readonly bytes: number;
}

/** Smaller ones have no room for a file system. */
const FEWEST_BYTES = 1024 * 1024;

/**
 * Opens a disk for one pod that writes to it, or for any number that only read. The lock is that of the open file: whoever has a copy
 * of `fd` holds it, and it goes with the last of them. `what` is for messages. @throws SupervisorError `bad-disk`, saying why
 */
export function openDisk(what: string, source: string, readOnly: boolean): Disk {
  const fd = opening(what, () =>
    open(source, (readOnly ? open_.readOnly : open_.readWrite) | open_.nonBlocking),
  );
  try {
    const { kind } = fstat(fd);
    if (kind !== 'file' && kind !== 'block')
      throw refused(what, `${source} is neither a file nor a block device`);
    if (!waitFor(() => tryLock(fd, readOnly ? 'shared' : 'exclusive')))
      throw refused(what, `${source} is in use: ${readOnly ? 'a pod writes to it' : 'another pod has it'}`);
    const bytes = endOf(fd);
    if (bytes < FEWEST_BYTES)
      throw refused(what, `${source} has ${bytes} bytes: at least ${FEWEST_BYTES} are needed`);
    return { fd, kind, bytes, [Symbol.dispose]: () => close(fd) };
  } catch (error) {
    close(fd);
    throw error;
  }
}

/**
 * A device that nobody else of the host has, nor has mounted, as long as the pod has it. A file is kept by its lock alone. Takes the
 * disk over: the lock is kept, too.
 */
export function reopenAlone(what: string, disk: Disk): Disk {
  if (disk.kind === 'file') return disk;
  const fd = openAlone(what, disk);
  const release = () => {
    close(fd);
    disk[Symbol.dispose]();
  };
  return { ...disk, fd, [Symbol.dispose]: release };
}

/** That nobody of the host has a device: a kernel that mounts what is mounted already shares it. @throws SupervisorError `bad-disk` */
export function checkAlone(what: string, disk: Disk): void {
  if (disk.kind === 'block') close(openAlone(what, disk));
}

function openAlone(what: string, disk: Disk): number {
  const alone = open_.readWrite | open_.exclusive | open_.nonBlocking;
  const name = `/proc/self/fd/${disk.fd}`;
  return opening(what, () => {
    let opened: number | undefined;
    waitFor(() => {
      opened = unless(['EBUSY'], () => open(name, alone));
      return opened !== undefined;
    });
    return opened ?? open(name, alone);
  });
}

/** A pod that was killed lets go of its disks when the last of its processes has gone. */
const PATIENCE_MILLISECONDS = 2000;
const PAUSE_MILLISECONDS = 20;

function waitFor(isDone: () => boolean): boolean {
  const deadline = monotonicMilliseconds() + PATIENCE_MILLISECONDS;
  while (!isDone()) {
    if (monotonicMilliseconds() > deadline) return false;
    sleep(PAUSE_MILLISECONDS);
  }
  return true;
}

function opening(what: string, action: () => number): number {
  try {
    return action();
  } catch (cause) {
    if (!(cause instanceof SystemError)) throw cause;
    const reason =
      cause.code === 'EBUSY' ? 'the host has it mounted, or another program has it' : cause.message;
    throw refused(what, reason, cause);
  }
}

function refused(what: string, why: string, cause?: unknown): SupervisorError {
  return new SupervisorError('bad-disk', `${what}: ${why}`, { cause });
}
