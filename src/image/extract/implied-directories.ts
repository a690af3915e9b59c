import type { Descriptor } from '../../os/descriptor.ts';
import { ImageError } from '../error.ts';
import type { ByteString } from '../tar/index.ts';
import { applyAttributes } from './attributes.ts';
import { copyDirectoryAttributes } from './copy-up.ts';
import type { DirectoryTimes } from './directory-times.ts';
import type { LowerLayers } from './lower-layers.ts';
import type { Segments } from './path.ts';
import type { Below, Parents } from './target-tree.ts';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

const ROOT: Owner = { uid: 0, gid: 0 };
const PLAIN = {
  mode: 0o755,
  mtime: { seconds: 0, nanoseconds: 0 },
  xattrs: new Map(),
} as const;

/** Of memory for their paths: archives have a few such directories, or were made to have millions. */
const MOST_BYTES = 16 * 1024 * 1024;

function costOf(key: ByteString): number {
  return key.length + 100;
}

/** The directories that an archive has no entry for, though it has one for something in them: those of the layers below. */
export class ImpliedDirectories implements Parents {
  readonly #lower: LowerLayers;
  readonly #times: DirectoryTimes;
  readonly #paths = new Set<ByteString>();
  readonly #lowerLinks: 'follow' | 'replace';
  readonly #owner: Owner;
  #any = false;
  #bytes = 0;

  constructor(
    lower: LowerLayers,
    times: DirectoryTimes,
    lowerLinks: 'follow' | 'replace',
    owner: Owner = ROOT,
  ) {
    this.#lower = lower;
    this.#times = times;
    this.#lowerLinks = lowerLinks;
    this.#owner = owner;
  }

  /** Whether there was one, ever. */
  get any(): boolean {
    return this.#any;
  }

  below(path: Segments): Below {
    const below = this.#lower.below(path);
    return this.#lowerLinks === 'follow' || below.kind === 'directory' ? below : { kind: 'nothing' };
  }

  implied(directory: Descriptor, path: Segments, merges: boolean): void {
    this.#any = true;
    this.#remember(path.join('/'));
    using found = merges ? this.#lower.find(path) : undefined;
    this.#inherit(path, directory, found);
  }

  entered(directory: Descriptor, path: Segments): void {
    this.#times.hold(path, directory);
  }

  impliedRoot(root: Descriptor): void {
    this.#inherit([], root, this.#lower.root);
  }

  has(path: Segments): boolean {
    return this.#paths.has(path.join('/'));
  }

  /** True for one that has had no entry so far; from now on it has. */
  takeEntry(path: Segments): boolean {
    const key = path.join('/');
    const wasImplied = this.#paths.delete(key);
    if (wasImplied) this.#bytes -= costOf(key);
    return wasImplied;
  }

  #remember(key: ByteString): void {
    this.#paths.add(key);
    this.#bytes += costOf(key);
    if (this.#bytes > MOST_BYTES)
      throw new ImageError(
        'too-large',
        `archive leaves out the entries of more than ${this.#paths.size - 1} directories`,
      );
  }

  #inherit(path: Segments, directory: Descriptor, below: Descriptor | undefined): void {
    if (below === undefined) applyAttributes(directory, { ...PLAIN, ...this.#owner });
    const { mtime } = below === undefined ? PLAIN : copyDirectoryAttributes(below, directory);
    this.#times.note(path, directory, mtime);
  }
}
