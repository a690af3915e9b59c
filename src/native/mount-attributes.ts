/** Attributes of mounts that are there already, by mount_setattr(2): what is not named stays as it is. */
import { Packer } from './bytes.ts';
import { AT_FDCWD } from './files.ts';
import { ms } from './mounts.ts';
import { call, callAt } from './syscall.ts';

const AT_EMPTY_PATH = 0x1000;
const AT_RECURSIVE = 0x8000;
const MOUNT_ATTR_IDMAP = 0x100000;
const attributes = { 'read-only': 1, 'no-suid': 2, 'no-devices': 4 } as const;

export type MountAttribute = keyof typeof attributes;
/** `recursive`: the mount at a path and all mounts below it. */
export type MountDepth = 'alone' | 'recursive';

export function restrictMount(target: string, depth: MountDepth, ...names: MountAttribute[]): void {
  change(target, depth, flagsOf(names), 0);
}

/** Takes restrictions off again. */
export function allowMount(target: string, depth: MountDepth, ...names: MountAttribute[]): void {
  change(target, depth, 0, flagsOf(names));
}

function flagsOf(names: readonly MountAttribute[]): number {
  return names.reduce((all, name) => all | attributes[name], 0);
}

/**
 * Has a detached mount (`cloneMount`) show its files' ids as those that a user namespace maps them to, and keep the ids of who
 * writes accordingly. EINVAL: a file system that cannot; EPERM: a mount that does already.
 */
export function mapIds(mount: number, depth: MountDepth, userNamespace: number): void {
  const changes = new Packer(32).u64(MOUNT_ATTR_IDMAP).u64(0).u64(0).u64(userNamespace).finish();
  call('mount_setattr', mount, '', AT_EMPTY_PATH | flagOf(depth), changes, changes.length);
}

/** Restricts a mount that is held by an fd, attached or not. */
export function restrictOpenMount(mount: number, depth: MountDepth, ...names: MountAttribute[]): void {
  changeOpen(mount, depth, flagsOf(names), 0, 0);
}

/** Takes restrictions of such a mount off again. */
export function allowOpenMount(mount: number, depth: MountDepth, ...names: MountAttribute[]): void {
  changeOpen(mount, depth, 0, flagsOf(names), 0);
}

/** `private`: nothing that is mounted below where it is from arrives; `slave`: that, but nothing goes back. */
export function setPropagation(mount: number, depth: MountDepth, to: 'private' | 'slave'): void {
  changeOpen(mount, depth, 0, 0, ms[to]);
}

function changeOpen(mount: number, depth: MountDepth, set: number, clear: number, propagation: number): void {
  const changes = new Packer(32).u64(set).u64(clear).u64(propagation).u64(0).finish();
  call('mount_setattr', mount, '', AT_EMPTY_PATH | flagOf(depth), changes, changes.length);
}

function change(target: string, depth: MountDepth, set: number, clear: number): void {
  const changes = new Packer(32).u64(set).u64(clear).u64(0).u64(0).finish();
  callAt(target, 'mount_setattr', AT_FDCWD, target, flagOf(depth), changes, changes.length);
}

function flagOf(depth: MountDepth): number {
  return depth === 'recursive' ? AT_RECURSIVE : 0;
}

export function setReadOnly(target: string, depth: MountDepth): void {
  restrictMount(target, depth, 'read-only');
}
