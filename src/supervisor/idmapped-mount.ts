/**
 * Files of the host as a pod with users of its own sees them (`--private-users`): the ids that they have on disk are the pod's,
 * though its processes have others outside. A mount that maps ids does so for all who use it: such mounts are for the pod alone.
 */
import { hasCode } from '../native/errors.ts';
import { close } from '../native/files.ts';
import { type MountDepth, mapIds } from '../native/mount-attributes.ts';
import { mountTable } from '../native/mount-table.ts';
import { cloneMount } from '../native/mounts.ts';
import { readlink } from '../native/paths.ts';
import { fstat } from '../native/stat.ts';
import { SupervisorError } from './error.ts';

/** What is to be mounted: an open file or directory, and what it is called in an error. */
export interface MappedSource {
  readonly fd: number;
  readonly name: string;
}

/** EINVAL: the file system cannot; EPERM: its mount maps ids already. */
const REFUSALS = ['EINVAL', 'EPERM'];

/**
 * A detached mount of `source`, `recursive`: with all that is mounted below. `users` is the pod's user namespace
 * (`openPrivateUsers`). To be attached by `attachMount`, and closed. @throws SupervisorError `unsupported` that names the file system
 */
export function cloneMapped(source: MappedSource, users: number, depth: MountDepth): number {
  const mount = cloneMount('', depth === 'recursive', source.fd);
  try {
    mapIds(mount, depth, users);
    return mount;
  } catch (cause) {
    close(mount);
    if (!hasCode(cause, ...REFUSALS)) throw cause;
    throw new SupervisorError('unsupported', refusal(source, users, depth), { cause });
  }
}

function refusal({ fd, name }: MappedSource, users: number, depth: MountDepth): string {
  const table = mountTable();
  const { mountId } = fstat(fd);
  const path = readlink(`/proc/self/fd/${fd}`);
  const below = depth === 'recursive' ? table.filter(({ target }) => target.startsWith(`${path}/`)) : [];
  const culprit = below.find(({ target }) => !takesIds(target, users));
  const { type } = culprit ?? table.find(({ id }) => id === mountId) ?? { type: 'unknown' };
  const where = culprit === undefined ? name : `${name}: ${culprit.target}`;
  return `--private-users: ${where} is on a file system that cannot show other ids: ${type}`;
}

function takesIds(target: string, users: number): boolean {
  const mount = cloneMount(target, false);
  try {
    mapIds(mount, 'alone', users);
    return true;
  } catch (error) {
    if (hasCode(error, ...REFUSALS)) return false;
    throw error;
  } finally {
    close(mount);
  }
}
