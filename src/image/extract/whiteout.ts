import type { BigIntStats } from 'node:fs';
import type { Descriptor } from '../../os/descriptor.ts';
import { tryMakeNode } from '../../os/directory-entries.ts';
import { getXattr, setXattr } from '../../os/file-attributes.ts';
import { check, type Path } from '../../os/syscall.ts';
import type { ByteString } from '../tar/index.ts';
import { hostile } from './path.ts';

/** What a layer says about the layers below it (OCI image-spec, layer.md, "Whiteouts"). */
export type Whiteout =
  | { readonly kind: 'removed'; readonly name: ByteString }
  /** Nothing of this directory shines through from below. */
  | { readonly kind: 'opaque' }
  /** A mark of aufs for itself. */
  | { readonly kind: 'ignored' };

const PREFIX = '.wh.';
const OPAQUE_XATTR = 'trusted.overlay.opaque';
const S_IFCHR = 0o020000;

/** The whiteout that an entry's last component is, or undefined for an ordinary name. */
export function parseWhiteout(name: ByteString): Whiteout | undefined {
  if (!name.startsWith(PREFIX)) return undefined;
  const rest = name.slice(PREFIX.length);
  if (rest === '.wh..opq') return { kind: 'opaque' };
  if (rest.startsWith(PREFIX)) return { kind: 'ignored' };
  if (rest === '' || rest === '.' || rest === '..') throw hostile(name, 'is a whiteout of no name');
  return { kind: 'removed', name: rest };
}

/** Hides a name of lower layers, in overlayfs's own terms: a character device 0:0. The negative errno if that fails. */
function tryMakeWhiteout(directory: Descriptor, name: Path): number {
  return tryMakeNode(directory, name, S_IFCHR, 0, 0);
}

export function isWhiteout(stats: BigIntStats): boolean {
  return stats.isCharacterDevice() && stats.rdev === 0n;
}

export function makeOpaque(directory: Descriptor): void {
  setXattr(directory, OPAQUE_XATTR, Buffer.from('y'));
}

export function isOpaque(directory: Descriptor): boolean {
  return getXattr(directory, OPAQUE_XATTR)?.toString() === 'y';
}

export function whiteOut(directory: Descriptor, name: Path): void {
  check(tryMakeWhiteout(directory, name), 'mknodat', name);
}
