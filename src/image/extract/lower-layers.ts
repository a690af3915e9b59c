import { constants, fstatSync } from 'node:fs';
import { type Descriptor, O_PATH, openDirectory, tryOpenAt } from '../../os/descriptor.ts';
import { tryReadLink } from '../../os/directory-entries.ts';
import { fromByteString, toByteString } from '../tar/index.ts';
import type { Segments } from './path.ts';
import type { Below } from './target-tree.ts';
import { isOpaque, isWhiteout } from './whiteout.ts';

type Lookup = { readonly kind: 'absent' | 'hidden' } | { readonly kind: 'found'; readonly file: Descriptor };

/**
 * The layers below one that is being extracted, seen as overlayfs will show them. Layers may leave out directories that lie below
 * (umoci's do) and link to files there.
 */
export class LowerLayers implements Disposable {
  readonly #roots: readonly Descriptor[];

  /** Paths of the layers' roots, the uppermost first. */
  constructor(roots: readonly string[]) {
    this.#roots = roots.map((root) => openDirectory(root));
  }

  /** The root of the uppermost, which is the root of them all. */
  get root(): Descriptor | undefined {
    return this.#roots[0];
  }

  /** What is at a path without links in it: an O_PATH descriptor, the caller's to close. */
  find(path: Segments): Descriptor | undefined {
    for (const root of this.#roots) {
      const result = lookup(root, path);
      if (result.kind === 'found') return result.file;
      if (result.kind === 'hidden') return undefined;
    }
    return undefined;
  }

  below(path: Segments): Below {
    const found = this.find(path);
    if (found === undefined) return { kind: 'nothing' };
    using file = found;
    const stats = fstatSync(file.fd);
    if (stats.isDirectory()) return { kind: 'directory' };
    if (!stats.isSymbolicLink()) return { kind: 'other' };
    const target = tryReadLink(file, '');
    return typeof target === 'number' ? { kind: 'other' } : { kind: 'symlink', target: toByteString(target) };
  }

  [Symbol.dispose](): void {
    for (const root of this.#roots) root[Symbol.dispose]();
  }
}

// `hidden` ends the search: this layer says that nothing further down counts.
function lookup(root: Descriptor, path: Segments): Lookup {
  const open: Descriptor[] = [];
  let opaque = false;
  try {
    let here = root;
    for (const [at, segment] of path.entries()) {
      opaque ||= isOpaque(here);
      const next = tryOpenAt(here, fromByteString(segment), O_PATH);
      if (typeof next === 'number') return { kind: opaque ? 'hidden' : 'absent' };
      const stats = fstatSync(next.fd, { bigint: true });
      if (isWhiteout(stats) || (at < path.length - 1 && !stats.isDirectory())) {
        next[Symbol.dispose]();
        return { kind: 'hidden' };
      }
      if (at === path.length - 1) return { kind: 'found', file: next };
      open.push(next);
      // Attributes cannot be read through O_PATH.
      const readable = tryOpenAt(next, '.', constants.O_RDONLY | constants.O_DIRECTORY);
      if (typeof readable === 'number') return { kind: 'hidden' };
      open.push(readable);
      here = readable;
    }
    return { kind: 'absent' };
  } finally {
    for (const directory of open) directory[Symbol.dispose]();
  }
}
