/** Mounts and namespaces. */
import { AT_FDCWD, close } from './files.ts';
import { attempt, call, callAt, checked } from './syscall.ts';

/** Flags of mount(2). */
export const ms = {
  readOnly: 1,
  noSuid: 2,
  noDev: 4,
  noExec: 8,
  synchronous: 16,
  remount: 32,
  noSymlinkFollow: 256,
  noAtime: 1024,
  noDirAtime: 2048,
  bind: 4096,
  move: 8192,
  recursive: 16384,
  silent: 32768,
  unbindable: 1 << 17,
  private: 1 << 18,
  slave: 1 << 19,
  shared: 1 << 20,
  relatime: 1 << 21,
  strictAtime: 1 << 24,
} as const;

export interface Mount {
  readonly source?: string;
  readonly target: string;
  readonly type?: string;
  /** Of `ms`, or-ed. */
  readonly flags?: number;
  /** The file system's own options, at most one page. */
  readonly data?: string;
}

export function mount({ source, target, type, flags = 0, data }: Mount): void {
  const result = attempt('mount', source ?? 'none', target, type ?? null, flags, data ?? null);
  checked('mount', result, source === undefined ? { path: target } : { path: source, dest: target });
}

export type UnmountMode = 'plain' | 'detach' | 'force';

const UMOUNT_NOFOLLOW = 8;
const unmountFlags = { plain: 0, force: 1, detach: 2 } as const;

/** Does not follow a symlink at the end of the path. */
export function unmount(target: string, mode: UnmountMode = 'plain'): void {
  callAt(target, 'umount2', target, unmountFlags[mode] | UMOUNT_NOFOLLOW);
}

export function pivotRoot(newRoot: string, putOld: string): void {
  checked('pivot_root', attempt('pivot_root', newRoot, putOld), { path: newRoot, dest: putOld });
}

/** Namespaces, as unshare, setns and clone number them. */
export const namespaces = {
  mount: 0x00020000,
  cgroup: 0x02000000,
  uts: 0x04000000,
  ipc: 0x08000000,
  user: 0x10000000,
  pid: 0x20000000,
  network: 0x40000000,
} as const;

export type NamespaceKind = keyof typeof namespaces;

const flagsOf = (kinds: readonly NamespaceKind[]) =>
  kinds.reduce((flags, kind) => flags | namespaces[kind], 0);

export function unshare(...kinds: NamespaceKind[]): void {
  call('unshare', flagsOf(kinds));
}

/** Enters a namespace by a fd of /proc/PID/ns, or several of one process by its pidfd. */
export function setNamespace(fd: number, ...kinds: NamespaceKind[]): void {
  call('setns', fd, flagsOf(kinds));
}

const OPEN_TREE_CLONE = 1;
const AT_RECURSIVE = 0x8000;
const AT_EMPTY_PATH = 0x1000;
const OPEN_TREE_CLOEXEC = 0o2000000;
const MOVE_MOUNT_F_EMPTY_PATH = 4;
const MOVE_MOUNT_T_SYMLINKS = 0x10;
const MOVE_MOUNT_T_EMPTY_PATH = 0x40;

/** A detached copy of the mount at `path`, held by a fd that other mount namespaces can attach. */
export function cloneMount(path: string, recursive: boolean, directory = AT_FDCWD): number {
  const flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (recursive ? AT_RECURSIVE : 0);
  return callAt(path, 'open_tree', directory, path, flags | (path === '' ? AT_EMPTY_PATH : 0));
}

/** Attaches a detached mount at `target`, or where a link at its end leads. */
export function attachMount(fd: number, target: string, directory = AT_FDCWD): void {
  const flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS;
  callAt(target, 'move_mount', fd, '', directory, target, flags);
}

/** Attaches a detached mount over what an open fd is: no name is looked up. */
export function attachMountAt(fd: number, place: number): void {
  call('move_mount', fd, '', place, '', MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

const FSOPEN_CLOEXEC = 1;
const FSMOUNT_CLOEXEC = 1;
const FSCONFIG_SET_FLAG = 0;
const FSCONFIG_SET_STRING = 1;
const FSCONFIG_CMD_CREATE = 6;
/** What fsmount calls the flags of mount(2), which are of the same numbers. */
const MOUNT_ATTRIBUTES = ms.readOnly | ms.noSuid | ms.noDev | ms.noExec;

/** A file system that is mounted nowhere yet; `source` is the device of one that has one. Of `ms`, `flags` may have these four. */
export function openFileSystem(type: string, flags: number, source = type): number {
  const context = callAt(source, 'fsopen', type, FSOPEN_CLOEXEC);
  try {
    // Of a type without a device: what it is called in tables of mounts.
    callAt(source, 'fsconfig', context, FSCONFIG_SET_STRING, 'source', source, 0);
    if (source !== type && (flags & ms.readOnly) !== 0)
      callAt(source, 'fsconfig', context, FSCONFIG_SET_FLAG, 'ro', null, 0);
    callAt(source, 'fsconfig', context, FSCONFIG_CMD_CREATE, null, null, 0);
    return callAt(source, 'fsmount', context, FSMOUNT_CLOEXEC, flags & MOUNT_ATTRIBUTES);
  } finally {
    close(context);
  }
}
