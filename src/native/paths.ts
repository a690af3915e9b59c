/** Making, renaming, removing and describing names in the file system. */

import { utf8Decode } from './engine.ts';
import { AT_FDCWD } from './files.ts';
import { type Device, type FileKind, statIfPresent } from './stat.ts';
import { attempt, call, callAt, checked } from './syscall.ts';

const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_EMPTY_PATH = 0x1000;
const AT_REMOVEDIR = 0x200;
const ENOENT = 2;

export function mkdir(path: string, mode = 0o777, directory = AT_FDCWD): void {
  callAt(path, 'mkdirat', directory, path, mode);
}

/** Makes the missing directories of a path; those that exist stay as they are. */
export function mkdirAll(path: string, mode = 0o777): void {
  const result = attempt('mkdirat', AT_FDCWD, path, mode);
  if (result === 0) return;
  if (result === -ENOENT) {
    const parent = path.replace(/\/+[^/]*\/*$/, '');
    if (parent === path || parent === '') checked('mkdir', result, { path });
    mkdirAll(parent, mode);
    mkdirAll(path, mode);
  } else if (statIfPresent(path)?.kind !== 'directory') {
    checked('mkdir', result, { path });
  }
}

export function unlink(path: string, directory = AT_FDCWD): void {
  callAt(path, 'unlinkat', directory, path, 0);
}

export function rmdir(path: string, directory = AT_FDCWD): void {
  callAt(path, 'unlinkat', directory, path, AT_REMOVEDIR);
}

export type RenameRule = 'replace' | 'no-replace' | 'exchange';

const renameFlags = { replace: 0, 'no-replace': 1, exchange: 2 } as const;

export function rename(from: string, to: string, rule: RenameRule = 'replace'): void {
  const result = attempt('renameat2', AT_FDCWD, from, AT_FDCWD, to, renameFlags[rule]);
  checked('rename', result, { path: from, dest: to });
}

export function symlink(target: string, path: string, directory = AT_FDCWD): void {
  const result = attempt('symlinkat', target, directory, path);
  checked('symlink', result, { path: target, dest: path });
}

export function readlink(path: string, directory = AT_FDCWD): string {
  const out = new Uint8Array(4096);
  const length = callAt(path, 'readlinkat', directory, path, out, out.length);
  return utf8Decode(out.subarray(0, length));
}

/** Follows symlinks; a number is an open fd. */
export function chmod(target: string | number, mode: number, directory = AT_FDCWD): void {
  if (typeof target === 'number') call('fchmod', target, mode);
  else callAt(target, 'fchmodat', directory, target, mode);
}

/** Does not follow a symlink at the end of the path; a number is an open fd, O_PATH ones included. */
export function chown(target: string | number, uid: number, gid: number, directory = AT_FDCWD): void {
  if (typeof target === 'number') call('fchownat', target, '', uid, gid, AT_EMPTY_PATH);
  else callAt(target, 'fchownat', directory, target, uid, gid, AT_SYMLINK_NOFOLLOW);
}

const nodeKinds = { fifo: 0o010000, char: 0o020000, block: 0o060000, socket: 0o140000 } as const;

export type NodeKind = keyof typeof nodeKinds & FileKind;

export function mknod(
  path: string,
  kind: NodeKind,
  mode: number,
  device: Device,
  directory = AT_FDCWD,
): void {
  callAt(path, 'mknodat', directory, path, nodeKinds[kind] | mode, encodeDevice(device));
}

/** The kernel's packing of a device number into one word (new_encode_dev). */
export function encodeDevice({ major, minor }: Device): number {
  return (minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12);
}

export type Permission = 'exist' | 'read' | 'write' | 'execute';

const permissionBits = { exist: 0, execute: 1, write: 2, read: 4 } as const;

/** Whether the real user may; false also where the path does not exist. */
export function access(path: string, permission: Permission, directory = AT_FDCWD): boolean {
  return attempt('faccessat', directory, path, permissionBits[permission]) === 0;
}
