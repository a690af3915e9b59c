import type { Entry } from '../tar/index.ts';
import { hostile } from './path.ts';

/** What mknod is told. */
export interface Node {
  readonly type: number;
  readonly major: number;
  readonly minor: number;
}

const S_IFIFO = 0o010000;
const S_IFCHR = 0o020000;
const S_IFBLK = 0o060000;

/** @throws ImageError hostile-entry */
export function nodeOf(entry: Entry & { readonly kind: 'character' | 'block' | 'fifo' }): Node {
  switch (entry.kind) {
    case 'fifo':
      return { type: S_IFIFO, major: 0, minor: 0 };
    case 'character':
      // To overlayfs that is a whiteout: an image would remove names that no reader of the archive sees removed.
      if (entry.major === 0 && entry.minor === 0) throw hostile(entry.path, 'is a character device 0:0');
      return { type: S_IFCHR, ...numbers(entry) };
    case 'block':
      return { type: S_IFBLK, ...numbers(entry) };
    default:
      return entry satisfies never;
  }
}

// The kernel's own bounds.
function numbers({
  path,
  major,
  minor,
}: Entry & { readonly kind: 'character' | 'block' }): Omit<Node, 'type'> {
  if (major > 0xfff || minor > 0xf_ffff) throw hostile(path, 'has a device number out of range');
  return { major, minor };
}
