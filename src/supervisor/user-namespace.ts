import { readTextIfPresent, writeControl } from '../native/contents.ts';
import { exit } from '../native/engine.ts';
import { SystemError } from '../native/errors.ts';
import { close, open, open_, read, write } from '../native/files.ts';
import { unshare } from '../native/mounts.ts';
import { openPipe } from '../native/pipes.ts';
import { fork, waitFor } from '../native/processes.ts';

/** Every id is itself: what changes is that its root has no power outside of it. */
const ALL_IDS = '0 0 4294967295';

/** A user namespace with all ids, by fd; undefined where the host does not give one. */
export function openUserNamespace(): number | undefined {
  if (readTextIfPresent('/proc/sys/user/max_user_namespaces')?.trim() === '0') return undefined;
  return makeUserNamespace();
}

/** A namespace begins with a process in it: one that lives until the maps are written and the fd is open. */
function makeUserNamespace(): number | undefined {
  const ready = openPipe();
  const done = openPipe();
  const pid = fork();
  if (pid === 0) inhabit(ready.write, done);
  close(ready.write);
  close(done.read);
  try {
    const inside = read(ready.read, new Uint8Array(1)) === 1;
    return inside ? mapAndOpen(pid) : undefined;
  } finally {
    close(ready.read);
    close(done.write);
    waitFor(pid);
  }
}

function mapAndOpen(pid: number): number | undefined {
  try {
    writeControl(`/proc/${pid}/uid_map`, ALL_IDS);
    writeControl(`/proc/${pid}/gid_map`, ALL_IDS);
    return open(`/proc/${pid}/ns/user`, open_.readOnly);
  } catch (error) {
    if (error instanceof SystemError) return undefined;
    throw error;
  }
}

/** The child's part: never returns. */
function inhabit(ready: number, done: { readonly read: number; readonly write: number }): never {
  try {
    close(done.write);
    unshare('user');
    write(ready, new Uint8Array(1));
    read(done.read, new Uint8Array(1));
  } finally {
    exit(0);
  }
  throw new Error('unreachable');
}
