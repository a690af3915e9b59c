/** Roots of processes that see of a host's file system what is named here. Made by the process that gets one, in a mount namespace of its own. */
import { writeFile } from '../native/contents.ts';
import { hasCode } from '../native/errors.ts';
import { restrictMount } from '../native/mount-attributes.ts';
import { mount, ms, pivotRoot, unmount } from '../native/mounts.ts';
import { chmod, chown, mkdir, mknod, symlink } from '../native/paths.ts';
import { chdir } from '../native/processes.ts';
import { SupervisorError } from './error.ts';

/** Builds a process's own root, in order; `target` is relative to that root. */
export type RootEntry =
  | { readonly kind: 'directory'; readonly target: string }
  | { readonly kind: 'symlink'; readonly target: string; readonly to: string }
  | { readonly kind: 'file'; readonly target: string; readonly text: string }
  /** Read-only, with all that is mounted below now. */
  | {
      readonly kind: 'bind';
      readonly target: string;
      readonly source: string;
      readonly of: 'directory' | 'file';
    }
  /** Writable, with all that is mounted below, now or later. */
  | { readonly kind: 'share'; readonly target: string; readonly source: string }
  /** procfs: what it tells of the processes of the pid namespace, or also of the kernel. */
  | { readonly kind: 'proc'; readonly target: string; readonly of: 'processes' | 'all' }
  | { readonly kind: 'sysfs'; readonly target: string }
  | {
      readonly kind: 'device';
      readonly target: string;
      readonly major: number;
      readonly minor: number;
      readonly mode: number;
      /** Absent: root's. */
      readonly uid?: number;
      readonly gid: number;
    };

/** `place` is any directory that may be hidden: the new root is mounted there before it becomes `/`. */
export function enterRoot(entries: readonly RootEntry[], place: string): void {
  // What is mounted here is nobody else's business.
  mount({ target: '/', flags: ms.recursive | ms.slave });
  makeRoot(entries, place);
  pivotTo(place);
}

/**
 * A root that another process enters (`enterMadeRoot`), in a user namespace of its own: it is made by who has the privileges for it, in
 * a mount namespace that the other's is a copy of.
 */
export function makeRoot(entries: readonly RootEntry[], place: string): void {
  const devices = entries.some(({ kind }) => kind === 'device');
  mount({
    source: 'root',
    target: place,
    type: 'tmpfs',
    flags: ms.noSuid | ms.noExec | (devices ? 0 : ms.noDev),
    data: 'mode=755,size=64k,nr_inodes=64',
  });
  for (const entry of entries) make(entry, `${place}/${entry.target}`);
  restrictMount(place, 'alone', 'read-only');
}

/** `entries` are the kernel's file systems, on directories of that root: they are those of the namespaces of who mounts them. */
export function enterMadeRoot(place: string, entries: readonly KernelEntry[]): void {
  mount({ target: '/', flags: ms.recursive | ms.slave });
  // What was mounted by others cannot be moved; a copy of it can.
  mount({ source: place, target: place, flags: ms.bind | ms.recursive });
  for (const entry of entries) mountShown(entry, `${place}/${entry.target}`);
  pivotTo(place);
}

function pivotTo(place: string): void {
  chdir(place);
  pivotRoot('.', '.');
  unmount('.', 'detach');
  chdir('/');
}

function make(entry: RootEntry, target: string): void {
  switch (entry.kind) {
    case 'directory':
      mkdir(target, 0o755);
      return;
    case 'symlink':
      symlink(entry.to, target);
      return;
    case 'file':
      writeFile(target, entry.text);
      // The umask may have cut the mode.
      chmod(target, 0o644);
      return;
    case 'bind':
      if (entry.of === 'directory') mkdir(target, 0o755);
      else writeFile(target, '');
      mount({ source: entry.source, target, flags: ms.bind | ms.recursive });
      // Nothing that the host mounts later may come in beside what is restricted here.
      mount({ target, flags: ms.private | ms.recursive });
      restrictMount(target, 'recursive', 'read-only', 'no-suid', 'no-devices');
      return;
    case 'share':
      mkdir(target, 0o755);
      mount({ source: entry.source, target, flags: ms.bind | ms.recursive });
      return;
    case 'proc':
    case 'sysfs':
      mkdir(target, 0o755);
      mountKernel(entry, target);
      return;
    case 'device':
      makeDevice(entry, target);
      return;
    default:
      entry satisfies never;
  }
}

export type KernelEntry = Extract<RootEntry, { kind: 'proc' | 'sysfs' }>;

function mountKernel(entry: KernelEntry, target: string): void {
  const flags = ms.noSuid | ms.noDev | ms.noExec;
  const data = entry.kind === 'proc' && entry.of === 'processes' ? { data: 'subset=pid' } : {};
  mount({ source: entry.kind, target, type: entry.kind, flags, ...data });
}

function mountShown(entry: KernelEntry, target: string): void {
  try {
    mountKernel(entry, target);
  } catch (cause) {
    if (!hasCode(cause, 'EPERM')) throw cause;
    const message = `a part of the host's ${entry.kind} is hidden (as in many containers): no user namespace gets one of its own`;
    throw new SupervisorError('unsupported', message, { cause });
  }
}

/** Who may not make devices (CAP_MKNOD) gives the host's own, by a mount that nobody can change their mode through. */
function makeDevice(entry: Extract<RootEntry, { kind: 'device' }>, target: string): void {
  try {
    mknod(target, 'char', entry.mode, { major: entry.major, minor: entry.minor });
    // The umask may have cut the mode.
    chmod(target, entry.mode);
    chown(target, entry.uid ?? 0, entry.gid);
  } catch (error) {
    if (!hasCode(error, 'EPERM')) throw error;
    writeFile(target, '');
    mount({ source: `/${entry.target}`, target, flags: ms.bind });
    restrictMount(target, 'alone', 'read-only', 'no-suid');
  }
}
