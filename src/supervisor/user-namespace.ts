import type { IdRange } from '../abi/id-range.ts';
import { readTextIfPresent, writeControl } from '../native/contents.ts';
import { exit } from '../native/engine.ts';
import { SystemError } from '../native/errors.ts';
import { close, File, open, open_, read } from '../native/files.ts';
import type { NamespaceKind } from '../native/mounts.ts';
import { openPipe, type Pipe } from '../native/pipes.ts';
import { fork, waitFor } from '../native/processes.ts';
import { SupervisorError } from './error.ts';

/** Every id is itself: what changes is that its root has no power outside of it. */
const ALL_IDS = '0 0 4294967295';

/** A user namespace with all ids, by fd; undefined where the host does not give one. */
export function openUserNamespace(): number | undefined {
  if (readTextIfPresent('/proc/sys/user/max_user_namespaces')?.trim() === '0') return undefined;
  try {
    return makeNamespaces(ALL_IDS, ['user'], (open) => open('user'));
  } catch (error) {
    if (error instanceof SystemError) return undefined;
    throw error;
  }
}

/** One whose ids from 0 on are those of a range, by fd. @throws SupervisorError `unsupported` */
export function openPrivateUsers(range: IdRange): File {
  return makePrivate(range, ['user'], (open) => new File(open('user')));
}

/** One that shows ids from `disk` on as those from `pod` on, where a mount maps ids by it. @throws SystemError */
export function openIdMap({ disk, pod, count }: { disk: number; pod: number; count: number }): number {
  return makeNamespaces(`${disk} ${pod} ${count}`, ['user'], (open) => open('user'));
}

/** What a pod with users of its own begins with, by fd. */
export interface PrivateNamespaces {
  readonly users: number;
  /** It belongs to `users`, so that the pod's root may set it up. */
  readonly network: number;
}

/** @throws SupervisorError `unsupported` */
export function openPrivateNamespaces(range: IdRange): PrivateNamespaces {
  return makePrivate(range, ['user', 'network'], (open) => ({ users: open('user'), network: open('net') }));
}

type Opener = (name: 'user' | 'net') => number;

function makePrivate<T>(
  { first, count }: IdRange,
  kinds: readonly NamespaceKind[],
  take: (open: Opener) => T,
): T {
  try {
    return makeNamespaces(`0 ${first} ${count}`, kinds, take);
  } catch (cause) {
    if (!(cause instanceof SystemError)) throw cause;
    throw new SupervisorError('unsupported', `--private-users: no user namespace: ${cause.message}`, {
      cause,
    });
  }
}

/** Namespaces begin with a process in them: one that lives until the maps are written and the fds are open. @throws SystemError */
function makeNamespaces<T>(map: string, kinds: readonly NamespaceKind[], take: (open: Opener) => T): T {
  const done = openPipe();
  const pid = fork(...kinds);
  if (pid === 0) inhabit(done);
  close(done.read);
  try {
    writeControl(`/proc/${pid}/uid_map`, map);
    writeControl(`/proc/${pid}/gid_map`, map);
    return take((name) => open(`/proc/${pid}/ns/${name}`, open_.readOnly));
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
