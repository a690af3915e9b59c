import type { IdRange } from '../abi/id-range.ts';
import { readTextIfPresent, writeControl } from '../native/contents.ts';
import { exit } from '../native/engine.ts';
import { SystemError } from '../native/errors.ts';
import { close, File, open, open_, read } from '../native/files.ts';
import { openPipe, type Pipe } from '../native/pipes.ts';
import { fork, waitFor } from '../native/processes.ts';
import { SupervisorError } from './error.ts';

/** Every id is itself: what changes is that its root has no power outside of it. */
const ALL_IDS = '0 0 4294967295';

/** A user namespace with all ids, by fd; undefined where the host does not give one. */
export function openUserNamespace(): number | undefined {
  if (readTextIfPresent('/proc/sys/user/max_user_namespaces')?.trim() === '0') return undefined;
  try {
    return makeUserNamespace(ALL_IDS);
  } catch (error) {
    if (error instanceof SystemError) return undefined;
    throw error;
  }
}

/** One whose ids from 0 on are those of a range, by fd. @throws SupervisorError `unsupported` */
export function openPrivateUsers({ first, count }: IdRange): File {
  try {
    return new File(makeUserNamespace(`0 ${first} ${count}`));
  } catch (cause) {
    if (!(cause instanceof SystemError)) throw cause;
    throw new SupervisorError('unsupported', `--private-users: no user namespace: ${cause.message}`, {
      cause,
    });
  }
}

/** A namespace begins with a process in it: one that lives until the maps are written and the fd is open. @throws SystemError */
function makeUserNamespace(map: string): number {
  const done = openPipe();
  const pid = fork('user');
  if (pid === 0) inhabit(done);
  close(done.read);
  try {
    writeControl(`/proc/${pid}/uid_map`, map);
    writeControl(`/proc/${pid}/gid_map`, map);
    return open(`/proc/${pid}/ns/user`, open_.readOnly);
  } finally {
    close(done.write);
    waitFor(pid);
  }
}

/** The child's part: never returns. */
function inhabit(done: Pipe): never {
  try {
    close(done.write);
    read(done.read, new Uint8Array(1));
  } finally {
    exit(0);
  }
  throw new Error('unreachable');
}
