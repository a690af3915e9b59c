/** The supervisor's own standard streams, made fit to be the ends of an app's. */
import { duplicateAbove } from '../native/descriptors.ts';
import { unless } from '../native/errors.ts';
import { open, open_ } from '../native/files.ts';
import { windowSize } from '../native/ptys.ts';
import { fstat } from '../native/stat.ts';

const NULL_DEVICE = { major: 1, minor: 3 };
const REOPEN_REFUSALS = ['EACCES', 'EPERM', 'ENXIO', 'ENOENT', 'EIO'];

export function isTerminal(fd: number): boolean {
  return windowSize(fd) !== undefined;
}

/**
 * A duplicate that can be written or read without blocking. A terminal is opened anew, because a mode set on the inherited
 * description would be set for the shell that we share it with, too; pipes are spliced, which takes a flag of its own.
 */
export function endpoint(fd: number, direction: 'read' | 'write'): number {
  if (!isTerminal(fd)) return duplicateAbove(fd, 3);
  const access = direction === 'read' ? open_.readOnly : open_.writeOnly;
  const flags = access | open_.nonBlocking | open_.noControllingTerminal;
  return unless(REOPEN_REFUSALS, () => open(`/proc/self/fd/${fd}`, flags)) ?? duplicateAbove(fd, 3);
}

/** Whether a fd is open at all: a service may be started without standard streams. */
export function isOpen(fd: number): boolean {
  return unless(['EBADF'], () => fstat(fd)) !== undefined;
}

/** Whether somebody may see what is written there: nobody does at /dev/null, where a pod that runs by itself has its streams. */
export function takesOutput(fd: number): boolean {
  const file = unless(['EBADF'], () => fstat(fd));
  if (file === undefined) return false;
  const { kind, represents } = file;
  return kind !== 'char' || represents.major !== NULL_DEVICE.major || represents.minor !== NULL_DEVICE.minor;
}
