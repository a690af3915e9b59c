import { constants } from 'node:fs';
import { type Descriptor, openAt } from '../../os/descriptor.ts';
import {
  removeName,
  tryMakeDirectory,
  tryMakeHardLink,
  tryMakeNode,
  tryMakeSymlink,
} from '../../os/directory-entries.ts';
import { statAt } from '../../os/file-attributes.ts';
import { check, type Path, SystemError } from '../../os/syscall.ts';
import { removeTree } from '../../os/tree.ts';
import { ImageError } from '../error.ts';
import { type ByteString, type Entry, fromByteString, type Piece, showBytes } from '../tar/index.ts';
import {
  applyAllAttributes,
  applyAttributes,
  applyLinkAttributes,
  applyNodeAttributes,
} from './attributes.ts';
import { writeContent } from './content.ts';
import { copyDirectoryAttributes, copyUp } from './copy-up.ts';
import { DirectoryTimes } from './directory-times.ts';
import type { LowerLayers } from './lower-layers.ts';
import { hostile, type Segments } from './path.ts';
import { TargetTree } from './target-tree.ts';
import { isWhiteout, makeOpaque, parseWhiteout, type Whiteout, whiteOut } from './whiteout.ts';

/** What an image format makes of a tar. */
export interface LayerRules {
  /** An entry's or hard link's place below the root file system. @throws ImageError for one that has none */
  readonly locate: (path: ByteString) => Segments;
  /** OCI layers remove what lies below by name; in an ACI `.wh.` is a name like any other. */
  readonly whiteouts: boolean;
  /** In an OCI layer the later entry wins, in an ACI there may be none. */
  readonly repeats: 'replace' | 'refuse';
}

const PLAIN = {
  mode: 0o755,
  uid: 0,
  gid: 0,
  mtime: { seconds: 0, nanoseconds: 0 },
  xattrs: new Map(),
} as const;
const TYPE = { character: 0o020000, block: 0o060000, fifo: 0o010000 } as const;
const NEW_FILE = constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY;

/** Writes an archive's entries into a directory, and into nothing else. */
export class LayerWriter implements Disposable {
  readonly #rules: LayerRules;
  readonly #lower: LowerLayers;
  readonly #tree: TargetTree;
  readonly #times = new DirectoryTimes();
  readonly #implied = new Set<ByteString>();
  #dependsOnLower = false;
  #rootSeen = false;
  #bytes = 0;

  constructor(rootfs: string, rules: LayerRules, lower: LowerLayers) {
    this.#rules = rules;
    this.#lower = lower;
    this.#tree = new TargetTree(rootfs, {
      below: (path) => this.#lower.below(path),
      implied: (directory, path) => this.#makeImplied(directory, path),
    });
  }

  /** Bytes of content written. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether the result would be another one on other layers: it leaves out directories, or links to files, of theirs. */
  get dependsOnLower(): boolean {
    return this.#dependsOnLower;
  }

  /** `content` is read for files only. @throws ImageError, TarError */
  async add(entry: Entry, content: () => AsyncIterable<Piece>): Promise<void> {
    try {
      const path = this.#rules.locate(entry.path);
      const last = path.at(-1);
      if (last === undefined) {
        this.#root(entry);
        return;
      }
      const whiteout = this.#rules.whiteouts ? parseWhiteout(last) : undefined;
      const parents = path.slice(0, -1);
      if (whiteout !== undefined) this.#whiteout(parents, whiteout);
      else await this.#place(this.#tree.directory(parents), fromByteString(last), path, entry, content);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      throw new ImageError('system', `cannot extract ${showBytes(entry.path)}: ${error.message}`, {
        cause: error,
      });
    }
  }

  /** To be called after the last entry: now nothing changes the times of directories any more. */
  finish(): void {
    if (!this.#rootSeen) this.#inherit([], this.#tree.root, this.#lower.root);
    this.#times.apply(this.#tree.root);
  }

  [Symbol.dispose](): void {
    this.#tree[Symbol.dispose]();
  }

  #root(entry: Entry): void {
    if (entry.kind !== 'directory') throw hostile(entry.path, 'is the root and not a directory');
    if (this.#rootSeen && this.#rules.repeats === 'refuse') throw duplicate(entry.path);
    this.#rootSeen = true;
    applyAttributes(this.#tree.root, entry);
    this.#times.note([], this.#tree.root, entry.mtime);
  }

  async #place(
    here: Descriptor,
    name: Buffer,
    path: Segments,
    entry: Entry,
    content: () => AsyncIterable<Piece>,
  ): Promise<void> {
    switch (entry.kind) {
      case 'directory':
        this.#directory(here, name, path, entry);
        return;
      case 'file': {
        this.#clear(here, name, entry.path);
        using file = openAt(here, name, NEW_FILE, 0o600);
        this.#bytes += await writeContent(file, entry.size, content());
        applyAllAttributes(file, entry);
        return;
      }
      case 'symlink':
        this.#clear(here, name, entry.path);
        check(tryMakeSymlink(here, name, fromByteString(entry.target)), 'symlinkat', name);
        applyLinkAttributes(here, name, entry);
        return;
      case 'hardlink':
        await this.#hardLink(here, name, entry.path, entry.target);
        return;
      case 'character':
      case 'block':
        this.#clear(here, name, entry.path);
        this.#device(here, name, entry);
        return;
      case 'fifo':
        this.#clear(here, name, entry.path);
        check(tryMakeNode(here, name, TYPE.fifo | 0o600, 0, 0), 'mknodat', name);
        applyNodeAttributes(here, name, entry);
        return;
      default:
        entry satisfies never;
    }
  }

  #directory(here: Descriptor, name: Buffer, path: Segments, entry: Entry): void {
    const existing = statAt(here, name);
    if (existing?.isDirectory() === true) this.#mayRepeat(path, entry.path);
    else {
      this.#clear(here, name, entry.path);
      check(tryMakeDirectory(here, name, 0o700), 'mkdirat', name);
    }
    using directory = openAt(here, name, constants.O_RDONLY | constants.O_DIRECTORY);
    applyAttributes(directory, entry);
    // What stood here hid all that lies below; a directory alone would let it shine through again.
    if (existing !== undefined && !existing.isDirectory()) makeOpaque(directory);
    this.#times.note(path, directory, entry.mtime);
  }

  async #hardLink(here: Descriptor, name: Buffer, path: ByteString, target: ByteString): Promise<void> {
    const source = this.#rules.locate(target);
    const last = source.at(-1);
    if (last === undefined) throw hostile(path, 'is a hard link to the root');
    const from = this.#tree.directory(source.slice(0, -1));
    const sourceName = fromByteString(last);
    const stats = statAt(from, sourceName);
    if (stats === undefined) await this.#copyUp(from, sourceName, source, path);
    else if (stats.isDirectory() || isWhiteout(stats))
      throw hostile(path, `is a hard link to ${showBytes(target)}, which is no file`);
    if (stats !== undefined && statAt(here, name)?.ino === stats.ino) return;
    this.#clear(here, name, path);
    check(tryMakeHardLink(from, sourceName, here, name), 'linkat', name);
  }

  async #copyUp(from: Descriptor, name: Buffer, source: Segments, path: ByteString): Promise<void> {
    this.#dependsOnLower = true;
    const found = this.#lower.find(source);
    if (found === undefined)
      throw hostile(path, `is a hard link to ${showBytes(source.join('/'))}, which is not there`);
    using below = found;
    await copyUp(below, from, name);
  }

  #device(here: Descriptor, name: Buffer, entry: Entry & { readonly kind: 'character' | 'block' }): void {
    // To overlayfs that is a whiteout: an image would remove names that no reader of the archive sees removed.
    if (entry.major === 0 && entry.minor === 0) throw hostile(entry.path, 'is a device 0:0');
    if (entry.major > 0xfff || entry.minor > 0xf_ffff)
      throw hostile(entry.path, 'has a device number out of range');
    check(tryMakeNode(here, name, TYPE[entry.kind] | 0o600, entry.major, entry.minor), 'mknodat', name);
    applyNodeAttributes(here, name, entry);
  }

  // A whiteout is about lower layers only, wherever it stands in its own.
  #whiteout(parents: Segments, whiteout: Whiteout): void {
    if (whiteout.kind === 'ignored') return;
    const here = this.#tree.directoryToHideIn(parents);
    if (here === undefined) {
      this.#dependsOnLower = true;
      return;
    }
    switch (whiteout.kind) {
      case 'opaque':
        makeOpaque(here);
        return;
      case 'removed':
        this.#remove(here, fromByteString(whiteout.name));
        return;
      default:
        whiteout satisfies never;
    }
  }

  #remove(here: Descriptor, name: Buffer): void {
    const existing = statAt(here, name);
    if (existing === undefined) whiteOut(here, name);
    if (existing?.isDirectory() !== true) return;
    using directory = openAt(here, name, constants.O_RDONLY | constants.O_DIRECTORY);
    makeOpaque(directory);
  }

  /** Makes room for an entry, where the format lets a later one win. */
  #clear(here: Descriptor, name: Path, path: ByteString): void {
    const existing = statAt(here, name);
    if (existing === undefined) return;
    if (this.#rules.repeats === 'refuse') throw duplicate(path);
    if (existing.isDirectory() || existing.isSymbolicLink()) this.#tree.forget();
    if (existing.isDirectory()) removeTree(here, name);
    else removeName(here, name);
  }

  #mayRepeat(path: Segments, shown: ByteString): void {
    const implied = this.#implied.delete(path.join('/'));
    if (!implied && this.#rules.repeats === 'refuse') throw duplicate(shown);
  }

  #makeImplied(directory: Descriptor, path: Segments): void {
    this.#dependsOnLower = true;
    this.#implied.add(path.join('/'));
    const found = this.#lower.find(path);
    this.#inherit(path, directory, found);
    found?.[Symbol.dispose]();
  }

  /** A directory that the archive only implies is the one below, or if there is none, an ordinary one. */
  #inherit(path: Segments, directory: Descriptor, below: Descriptor | undefined): void {
    if (below === undefined) applyAttributes(directory, PLAIN);
    const { mtime } = below === undefined ? PLAIN : copyDirectoryAttributes(below, directory);
    this.#times.note(path, directory, mtime);
  }
}

function duplicate(path: ByteString): ImageError {
  return new ImageError('duplicate-entry', `archive has more than one entry ${showBytes(path)}`);
}
