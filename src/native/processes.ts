/** Processes: making, waiting for, signalling and replacing them. A compiled program has one thread. */
import { Packer, Unpacker } from './bytes.ts';
import { addressOf, rawSyscall, utf8Encode } from './engine.ts';
import { type NamespaceKind, namespaces } from './mounts.ts';
import { type Signal, signalNumber, signals } from './signals.ts';
import { attempt, call, callAt, checked } from './syscall.ts';
import { numbers } from './syscall-numbers.ts';

export type { Signal };

/** 0 in the child. The child may start in namespaces of its own. */
export function fork(...kinds: NamespaceKind[]): number {
  const flags = kinds.reduce<number>((all, kind) => all | namespaces[kind], signals.SIGCHLD);
  return call('clone', flags, 0, null, null, 0);
}

const CLONE_PARENT = 0x8000;

/** As fork; the child is one of this process's parent. */
export function forkSibling(...kinds: NamespaceKind[]): number {
  const flags = kinds.reduce<number>((all, kind) => all | namespaces[kind], signals.SIGCHLD | CLONE_PARENT);
  return call('clone', flags, 0, null, null, 0);
}

const CLONE_INTO_CGROUP = 2 ** 33;

/**
 * As fork; the child is in a control group of v2, an open directory, from its first moment on (Linux 5.7). Moving it there later
 * would have the whole machine wait.
 */
export function forkInto(cgroup: number, ...kinds: NamespaceKind[]): number {
  const flags = kinds.reduce<number>((all, kind) => all + namespaces[kind], CLONE_INTO_CGROUP);
  // struct clone_args: flags, three places for ids, the signal of its end, stack, its size, tls, two of pids, the group.
  const request = new Packer(88).u64(flags).zeros(24).u64(signals.SIGCHLD).zeros(40).u64(cgroup);
  return call('clone3', request.finish(), request.length);
}

/** Whoever else can run on this processor goes first, once. */
export function yieldProcessor(): void {
  call('sched_yield');
}

/** The pointers of a NULL-terminated vector of C strings, and the memory that must stay alive beside it. */
function packStrings(texts: readonly string[]): { vector: Uint8Array; keep: Uint8Array } {
  const keep = utf8Encode(texts.map((text) => `${text}\0`).join(''));
  const vector = new Packer(8 * (texts.length + 1));
  const base = addressOf(keep);
  let at = 0;
  for (const text of texts) {
    if (text.includes('\0')) throw new TypeError(`a string for the kernel holds a NUL: '${text}'`);
    vector.u64(base + at);
    at = keep.indexOf(0, at) + 1;
  }
  return { vector: vector.u64(0).finish(), keep };
}

/** Returns only by throwing. The path is taken as it is: there is no search in PATH. */
export function execve(path: string, argv: readonly string[], env: readonly string[]): never {
  const args = packStrings(argv);
  const variables = packStrings(env);
  callAt(path, 'execve', path, args.vector, variables.vector);
  throw new Error('execve returned');
}

export type Exit =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'signalled'; readonly signal: number; readonly dumped: boolean };

export interface ChildExit {
  readonly pid: number;
  readonly exit: Exit;
}

const WNOHANG = 1;
const ESRCH = -3;
const ECHILD = -10;

/** Waits until a child (any, with -1) has ended. */
export function waitFor(pid: number): ChildExit {
  const status = new Uint8Array(4);
  const reaped = call('wait4', pid, status, 0, null);
  return { pid: reaped, exit: decodeStatus(new Unpacker(status).i32()) };
}

/** Reaps a child that has already ended; undefined while none has, and when there is none. */
export function reap(pid = -1): ChildExit | undefined {
  const status = new Uint8Array(4);
  const reaped = attempt('wait4', pid, status, WNOHANG, null);
  if (reaped === 0 || reaped === ECHILD) return undefined;
  checked('wait4', reaped);
  return { pid: reaped, exit: decodeStatus(new Unpacker(status).i32()) };
}

/** The status word of wait(2), without stops, which are not waited for. */
export function decodeStatus(status: number): Exit {
  const signal = status & 0x7f;
  if (signal === 0) return { kind: 'exited', code: (status >> 8) & 0xff };
  return { kind: 'signalled', signal, dumped: (status & 0x80) !== 0 };
}

/** A negative pid names a process group. */
export function kill(pid: number, signal: Signal): void {
  call('kill', pid, signalNumber(signal));
}

/** A fd that stands for the process, whatever becomes of its pid; readable when it has ended. */
export function openProcess(pid: number): number {
  return call('pidfd_open', pid, 0);
}

/** To the process that the fd stands for; nothing where that has ended. */
export function killOpen(process: number, signal: Signal): void {
  const result = attempt('pidfd_send_signal', process, signalNumber(signal), null, 0);
  if (result !== ESRCH) checked('pidfd_send_signal', result);
}

export const getpid = () => rawSyscall(numbers.getpid);

export function setUserIds(uid: number): void {
  call('setresuid', uid, uid, uid);
}

export function setGroupIds(gid: number): void {
  call('setresgid', gid, gid, gid);
}

export function setGroups(gids: readonly number[]): void {
  const list = new Packer(4 * gids.length + 4);
  for (const gid of gids) list.u32(gid);
  call('setgroups', gids.length, list.finish());
}

/** The new session's id, which is the caller's pid. */
export function setSession(): number {
  return call('setsid');
}

/** The session that a process is in; undefined when it has gone. */
export function sessionOf(pid: number): number | undefined {
  const session = attempt('getsid', pid);
  return session === ESRCH ? undefined : checked('getsid', session);
}

export function setProcessGroup(pid: number, group: number): void {
  call('setpgid', pid, group);
}

export function chdir(target: string | number): void {
  if (typeof target === 'number') call('fchdir', target);
  else callAt(target, 'chdir', target);
}

export function chroot(path: string): void {
  callAt(path, 'chroot', path);
}

export function umask(mask: number): number {
  return call('umask', mask);
}

const CLOSE_RANGE_CLOEXEC = 4;
const LAST_FD = 0xffffffff;

export function closeFrom(first: number): void {
  call('close_range', first, LAST_FD, 0);
}

/** Makes every fd from `first` up close on exec. */
export function closeOnExecFrom(first: number): void {
  call('close_range', first, LAST_FD, CLOSE_RANGE_CLOEXEC);
}
