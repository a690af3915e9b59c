import { constants } from 'node:fs';
import { type Descriptor, openAt, openDirectory, tryOpenAt } from '../../os/descriptor.ts';
import {
  tryMakeDirectory,
  tryMakeHardLink,
  tryMakeNode,
  tryMakeSymlink,
} from '../../os/directory-entries.ts';
import { statAt } from '../../os/file-attributes.ts';
import { check, type Path, SystemError } from '../../os/syscall.ts';
import { removeTree } from '../../os/tree.ts';
import { ImageError } from '../error.ts';
import {
  type ByteString,
  type Entry,
  fromByteString,
  type Piece,
  showBytes,
  toByteString,
} from '../tar/index.ts';
import {
  applyAllAttributes,
  applyAttributes,
  applyLinkAttributes,
  applyNodeAttributes,
} from './attributes.ts';
import { writeContent } from './content.ts';
import { copyUp } from './copy-up.ts';
import { DirectoryTimes } from './directory-times.ts';
import { HiddenNames } from './hidden-names.ts';
import { ImpliedDirectories, type Owner } from './implied-directories.ts';
import type { LowerLayers } from './lower-layers.ts';
import { nodeOf } from './node.ts';
import { hostile, type Segments } from './path.ts';
import { TargetTree } from './target-tree.ts';
import { isWhiteout, makeOpaque, parseWhiteout } from './whiteout.ts';

/** What an image format makes of a tar. */
export interface LayerRules {
  /** An entry's or hard link's place below the root file system. @throws ImageError for one that has none */
  readonly locate: (path: ByteString) => Segments;
  /** OCI layers remove what lies below by name; in an ACI `.wh.` is a name like any other. */
  readonly whiteouts: boolean;
  /** In an OCI layer the later entry wins, in an ACI there may be none. */
  readonly repeats: 'replace' | 'refuse';
  /** Where an entry's directory is a link in the layers below: whether it leads on, or the entry's own directory replaces it. */
  readonly lowerLinks: 'follow' | 'replace';
}

const EEXIST = -17;
const NEW_FILE = constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY;

/** Writes an archive's entries into a directory, and into nothing else. */
export class LayerWriter implements Disposable {
  readonly #rules: LayerRules;
  readonly #lower: LowerLayers;
  readonly #tree: TargetTree;
  readonly #times: DirectoryTimes;
  readonly #implied: ImpliedDirectories;
  readonly #hidden: HiddenNames;
  #linksToLower = false;
  #rootSeen = false;
  #bytes = 0;

  constructor(rootfs: string, rules: LayerRules, lower: LowerLayers, impliedOwner?: Owner) {
    this.#rules = rules;
    this.#lower = lower;
    const root = openDirectory(rootfs);
    this.#times = new DirectoryTimes(root);
    this.#implied = new ImpliedDirectories(lower, this.#times, rules.lowerLinks, impliedOwner);
    this.#tree = new TargetTree(root, this.#implied);
    this.#hidden = new HiddenNames(this.#tree, lower, this.#implied);
  }

  /** Bytes of content written. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether the result would be another one on other layers: it leaves out directories, or links to files, of theirs. */
  get dependsOnLower(): boolean {
    return this.#linksToLower || this.#implied.any || this.#hidden.dependsOnLower;
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
      if (whiteout !== undefined) this.#hidden.hide(parents, whiteout);
      else await this.#place(this.#tree.directory(parents), fromByteString(last), entry, content);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      throw new ImageError('system', `cannot extract ${showBytes(entry.path)}: ${error.message}`, {
        cause: error,
      });
    }
  }

  /** To be called after the last entry: now nothing changes the times of directories any more. */
  finish(): void {
    if (!this.#rootSeen) this.#implied.impliedRoot(this.#tree.root);
    this.#times.apply();
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
    entry: Entry,
    content: () => AsyncIterable<Piece>,
  ): Promise<void> {
    switch (entry.kind) {
      case 'directory':
        this.#directory(here, name, entry);
        return;
      case 'file': {
        const opened = this.#attempt(here, name, entry.path, () => tryOpenAt(here, name, NEW_FILE, 0o600));
        if (typeof opened === 'number') throw new SystemError('openat', opened, name);
        using file = opened;
        this.#bytes += await writeContent(file, entry.size, content());
        applyAllAttributes(file, entry);
        return;
      }
      case 'symlink': {
        const target = fromByteString(entry.target);
        this.#make(here, name, entry.path, 'symlinkat', () => tryMakeSymlink(here, name, target));
        applyLinkAttributes(here, name, entry);
        return;
      }
      case 'hardlink':
        await this.#hardLink(here, name, entry.path, entry.target);
        return;
      case 'character':
      case 'block':
      case 'fifo': {
        const { type, major, minor } = nodeOf(entry);
        this.#make(here, name, entry.path, 'mknodat', () =>
          tryMakeNode(here, name, type | 0o600, major, minor),
        );
        applyNodeAttributes(here, name, entry);
        return;
      }
      default:
        entry satisfies never;
    }
  }

  #directory(here: Descriptor, name: Buffer, entry: Entry): void {
    const path = [...this.#tree.pathOf(here), toByteString(name)];
    const made = tryMakeDirectory(here, name, 0o700);
    const existing = made === EEXIST ? statAt(here, name) : undefined;
    const wasImplied = this.#implied.takeEntry(path);
    if (existing?.isDirectory() === true) {
      if (!wasImplied && this.#rules.repeats === 'refuse') throw duplicate(entry.path);
    } else if (made !== 0) {
      this.#make(here, name, entry.path, 'mkdirat', () => tryMakeDirectory(here, name, 0o700));
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
    if (stats === undefined) await this.#copyUp(from, sourceName, path, target);
    else if (stats.isDirectory() || isWhiteout(stats))
      throw hostile(path, `is a hard link to ${showBytes(target)}, which is no file`);
    if (stats !== undefined && statAt(here, name)?.ino === stats.ino) return;
    this.#make(here, name, path, 'linkat', () => tryMakeHardLink(from, sourceName, here, name));
  }

  async #copyUp(from: Descriptor, name: Buffer, path: ByteString, target: ByteString): Promise<void> {
    this.#linksToLower = true;
    const directory = this.#tree.pathOf(from);
    const hidden = this.#tree.isHidden(directory);
    const found = hidden ? undefined : this.#lower.find([...directory, toByteString(name)]);
    if (found === undefined)
      throw hostile(path, `is a hard link to ${showBytes(target)}, which is not there`);
    using below = found;
    await copyUp(below, from, name);
  }

  #make(here: Descriptor, name: Path, path: ByteString, call: string, make: () => number): void {
    check(this.#attempt(here, name, path, make), call, name);
  }

  /** Makes something of a name; where it is taken, after making room: in some formats a later entry wins. */
  #attempt<T extends Descriptor | number>(here: Descriptor, name: Path, path: ByteString, make: () => T): T {
    const made = make();
    if (made !== EEXIST) return made;
    this.#clear(here, name, path);
    return make();
  }

  #clear(here: Descriptor, name: Path, path: ByteString): void {
    if (this.#rules.repeats === 'refuse') throw duplicate(path);
    const existing = statAt(here, name);
    if (existing?.isDirectory() === true || existing?.isSymbolicLink() === true) this.#tree.forget();
    removeTree(here, name);
  }
}

function duplicate(path: ByteString): ImageError {
  return new ImageError('duplicate-entry', `archive has more than one entry ${showBytes(path)}`);
}
