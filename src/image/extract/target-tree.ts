import { constants } from 'node:fs';
import { Descriptor, openAt, tryOpenAt, tryOpenBeneath } from '../../os/descriptor.ts';
import { removeName, tryMakeDirectory, tryReadLink } from '../../os/directory-entries.ts';
import { statAt } from '../../os/file-attributes.ts';
import { check } from '../../os/syscall.ts';
import { type ByteString, fromByteString, toByteString } from '../tar/index.ts';
import { hostile, MAX_DEPTH, type Segments } from './path.ts';
import { isOpaque, isWhiteout, makeOpaque } from './whiteout.ts';

const ENOENT = -2;
const MAX_LINKS = 40;
const OPEN_DIRECTORIES = 16;

/** What lower layers have at a path, as far as it decides what a missing parent directory is. */
export type Below =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'directory' }
  | { readonly kind: 'symlink'; readonly target: ByteString }
  | { readonly kind: 'other' };

/** Gives the directories that an archive has no entry for what an entry would have given them. */
export interface Parents {
  below(path: Segments): Below;
  /** Called with the new directory, which merges with one below or with none; `path` has no links in it. */
  implied(directory: Descriptor, path: Segments, merges: boolean): void;
  /** Called with a directory before something in it changes; `path` has no links in it. */
  entered(directory: Descriptor, path: Segments): void;
}

type Purpose = 'to-fill' | 'to-hide';
type Step = { readonly name: ByteString; readonly ofLink: boolean };
type Trail = Array<{ readonly name: ByteString; readonly directory: Descriptor }>;

/**
 * The directories of a tree under construction. Whatever an archive put there, a path leads to a directory inside: the kernel
 * opens it without following links, and where there are links they are walked here, name by name, and may not climb
 * above the root. Nobody else writes to the tree meanwhile.
 */
export class TargetTree implements Disposable {
  readonly root: Descriptor;
  readonly #parents: Parents;
  // The entries of one directory mostly come in a row.
  readonly #open = new Map<ByteString, Descriptor>();
  readonly #paths = new WeakMap<Descriptor, Segments>();
  #stale: Descriptor[] = [];

  /** `root`: the tree's own from now on. */
  constructor(root: Descriptor, parents: Parents) {
    this.root = root;
    this.#parents = parents;
    this.#paths.set(root, []);
  }

  /** The directory at a path, made if missing. The descriptor is the tree's own, good until a few others were asked for. */
  directory(path: Segments): Descriptor {
    const directory = this.#find(path, 'to-fill');
    if (directory === undefined) throw hostile(path.join('/'), 'leads through what is not a directory');
    return directory;
  }

  /** The same for a whiteout: undefined where the layers below have no such directory, so that there is nothing to hide. */
  directoryToHideIn(path: Segments): Descriptor | undefined {
    return this.#find(path, 'to-hide');
  }

  /** Where a directory that was found here is, without links in the path. */
  pathOf(directory: Descriptor): Segments {
    const path = this.#paths.get(directory);
    if (path === undefined) throw new TypeError('not a directory of this tree');
    return path;
  }

  /** Whether nothing of the layers below shows in a directory, as it or one above it is opaque. */
  isHidden(path: Segments): boolean {
    if (isOpaque(this.root)) return true;
    return path.some((_, at) => {
      const opened = tryOpenBeneath(this.root, fromByteString(path.slice(0, at + 1).join('/')));
      if (typeof opened === 'number') return false;
      using directory = opened;
      return isOpaque(directory);
    });
  }

  /**
   * To be called when a directory or link is removed: what was opened by its path is no longer what the path means.
   * Descriptors in use stay open until the next is asked for.
   */
  forget(): void {
    this.#stale.push(...this.#open.values());
    this.#open.clear();
  }

  [Symbol.dispose](): void {
    this.forget();
    for (const directory of this.#stale.splice(0)) directory[Symbol.dispose]();
    this.root[Symbol.dispose]();
  }

  #find(path: Segments, purpose: Purpose): Descriptor | undefined {
    for (const directory of this.#stale.splice(0)) directory[Symbol.dispose]();
    const directory = path.length === 0 ? this.root : this.#opened(path, purpose);
    if (directory !== undefined) this.#parents.entered(directory, this.pathOf(directory));
    return directory;
  }

  #opened(path: Segments, purpose: Purpose): Descriptor | undefined {
    const key = path.join('/');
    const known = this.#open.get(key);
    // Moves to the end: what was asked for last is closed last, and a hard link holds two at a time.
    this.#open.delete(key);
    const directory = known ?? this.#openBelow(path, key, purpose);
    if (directory === undefined) return undefined;
    if (this.#open.size >= OPEN_DIRECTORIES) this.#closeOldest();
    this.#open.set(key, directory);
    return directory;
  }

  #openBelow(path: Segments, key: ByteString, purpose: Purpose): Descriptor | undefined {
    const opened = tryOpenBeneath(this.root, fromByteString(key));
    if (typeof opened === 'number') return this.#walk(path, purpose);
    this.#paths.set(opened, path);
    return opened;
  }

  #closeOldest(): void {
    for (const [key, directory] of this.#open) {
      this.#open.delete(key);
      directory[Symbol.dispose]();
      return;
    }
  }

  #walk(path: Segments, purpose: Purpose): Descriptor | undefined {
    const shown = path.join('/');
    const trail: Trail = [];
    const pending: Step[] = steps(path, false);
    let links = 0;
    try {
      for (let step = pending.pop(); step !== undefined; step = pending.pop()) {
        if (step.name === '..') {
          if (trail.length === 0) throw hostile(shown, 'leads out of the image by a link');
          closeTop(trail);
          continue;
        }
        const next = this.#enter(trail, step, purpose);
        if (next === undefined) return undefined;
        if (next instanceof Descriptor) {
          trail.push({ name: step.name, directory: next });
          if (trail.length > MAX_DEPTH) throw hostile(shown, `is deeper than ${MAX_DEPTH} directories`);
          continue;
        }
        links += 1;
        if (links > MAX_LINKS) throw hostile(shown, 'leads through too many links');
        if (next.startsWith('/')) while (trail.length > 0) closeTop(trail);
        pending.push(...steps(next.split('/'), true));
      }
      const found = namesOf(trail);
      const directory =
        trail.pop()?.directory ?? openAt(this.root, '.', constants.O_RDONLY | constants.O_DIRECTORY);
      this.#paths.set(directory, found);
      return directory;
    } finally {
      while (trail.length > 0) closeTop(trail);
    }
  }

  /** The directory of this name, made if missing, or the target of a link, or undefined where neither can be. */
  #enter(trail: Trail, step: Step, purpose: Purpose): Descriptor | ByteString | undefined {
    const here = trail.at(-1)?.directory ?? this.root;
    const name = fromByteString(step.name);
    const opened = tryOpenAt(here, name, constants.O_RDONLY | constants.O_DIRECTORY);
    if (typeof opened !== 'number') return opened;
    if (opened === ENOENT) return this.#missing(trail, step, purpose);
    const target = tryReadLink(here, name);
    if (typeof target !== 'number') return toByteString(target);
    const stats = statAt(here, name);
    if (purpose === 'to-hide' || stats === undefined || !isWhiteout(stats) || step.ofLink) return undefined;
    // The layer removed what was below and goes on to fill a new directory of that name.
    this.#parents.entered(here, namesOf(trail));
    removeName(here, name);
    return keptIfDone(this.#make(here, trail, step, false), makeOpaque);
  }

  #missing(trail: Trail, step: Step, purpose: Purpose): Descriptor | ByteString | undefined {
    const here = trail.at(-1)?.directory ?? this.root;
    const isHidden = isOpaque(this.root) || trail.some(({ directory }) => isOpaque(directory));
    const below: Below = isHidden ? { kind: 'nothing' } : this.#parents.below([...namesOf(trail), step.name]);
    switch (below.kind) {
      case 'symlink':
        return below.target;
      case 'other':
        return undefined;
      case 'nothing':
        return step.ofLink || purpose === 'to-hide' ? undefined : this.#make(here, trail, step, false);
      case 'directory':
        return this.#make(here, trail, step, true);
      default:
        return below satisfies never;
    }
  }

  #make(here: Descriptor, trail: Trail, step: Step, merges: boolean): Descriptor {
    const name = fromByteString(step.name);
    const above = namesOf(trail);
    this.#parents.entered(here, above);
    check(tryMakeDirectory(here, name, 0o700), 'mkdirat', name);
    const path = [...above, step.name];
    return keptIfDone(openAt(here, name, constants.O_RDONLY | constants.O_DIRECTORY), (directory) =>
      this.#parents.implied(directory, path, merges),
    );
  }
}

/** A directory after what is to be done to it; closed where that fails, as nobody else knows of it yet. */
function keptIfDone(directory: Descriptor, act: (directory: Descriptor) => void): Descriptor {
  try {
    act(directory);
    return directory;
  } catch (error) {
    directory[Symbol.dispose]();
    throw error;
  }
}

function steps(names: readonly ByteString[], ofLink: boolean): Step[] {
  return names
    .filter((name) => name !== '' && name !== '.')
    .map((name) => ({ name, ofLink }))
    .reverse();
}

function namesOf(trail: Trail): Segments {
  return trail.map(({ name }) => name);
}

function closeTop(trail: Trail): void {
  trail.pop()?.directory[Symbol.dispose]();
}
