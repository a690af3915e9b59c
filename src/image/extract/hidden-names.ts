import { constants, fstatSync } from 'node:fs';
import { type Descriptor, openAt } from '../../os/descriptor.ts';
import { removeEmptyDirectory, removeName } from '../../os/directory-entries.ts';
import { statAt } from '../../os/file-attributes.ts';
import { listNames } from '../../os/tree.ts';
import { fromByteString, toByteString } from '../tar/index.ts';
import type { ImpliedDirectories } from './implied-directories.ts';
import type { LowerLayers } from './lower-layers.ts';
import type { Segments } from './path.ts';
import type { TargetTree } from './target-tree.ts';
import { isWhiteout, makeOpaque, type Whiteout, whiteOut } from './whiteout.ts';

/**
 * Turns a layer's whiteouts into overlayfs's. They are about the layers below only, wherever they stand among a layer's own
 * entries. Overlayfs leaves its whiteouts out of a listing only where directories merge: anywhere else none may be left.
 */
export class HiddenNames {
  readonly #tree: TargetTree;
  readonly #lower: LowerLayers;
  readonly #implied: ImpliedDirectories;
  #dependsOnLower = false;

  constructor(tree: TargetTree, lower: LowerLayers, implied: ImpliedDirectories) {
    this.#tree = tree;
    this.#lower = lower;
    this.#implied = implied;
  }

  /** Whether one was left out because there is nothing for it to hide. */
  get dependsOnLower(): boolean {
    return this.#dependsOnLower;
  }

  /** `directory` is where the whiteout's entry was. */
  hide(directory: Segments, whiteout: Whiteout): void {
    if (whiteout.kind === 'ignored') return;
    const here = this.#tree.directoryToHideIn(directory);
    if (here === undefined) {
      this.#dependsOnLower = true;
      return;
    }
    const path = this.#tree.pathOf(here);
    switch (whiteout.kind) {
      case 'opaque':
        this.#clear(here, path);
        makeOpaque(here);
        return;
      case 'removed':
        this.#remove(here, path, fromByteString(whiteout.name));
        return;
      default:
        whiteout satisfies never;
    }
  }

  #remove(here: Descriptor, path: Segments, name: Buffer): void {
    const existing = statAt(here, name);
    if (existing === undefined) this.#whiteOut(here, path, name);
    if (existing?.isDirectory() !== true) return;
    const inner = [...path, toByteString(name)];
    if (this.#clearBelow(here, name, inner)) {
      this.#tree.forget();
      this.#whiteOut(here, path, name);
      return;
    }
    using directory = openAt(here, name, constants.O_RDONLY | constants.O_DIRECTORY);
    makeOpaque(directory);
  }

  #whiteOut(here: Descriptor, path: Segments, name: Buffer): void {
    if (this.#tree.isHidden(path)) return;
    if (this.#mergesBelow(path)) whiteOut(here, name);
    else this.#dependsOnLower = true;
  }

  #mergesBelow(path: Segments): boolean {
    if (path.length === 0) return this.#lower.root !== undefined;
    const found = this.#lower.find(path);
    if (found === undefined) return false;
    using below = found;
    return fstatSync(below.fd).isDirectory();
  }

  /** Removes whiteouts, and directories that are there for nothing but whiteouts, from a directory that merges with none. */
  #clear(directory: Descriptor, path: Segments): void {
    this.#implied.entered(directory, path);
    for (const name of listNames(directory)) {
      const stats = statAt(directory, name);
      if (stats === undefined) continue;
      if (isWhiteout(stats)) removeName(directory, name);
      else if (stats.isDirectory() && this.#clearBelow(directory, name, [...path, toByteString(name)]))
        this.#tree.forget();
    }
  }

  /** True when the directory itself had no other reason to be there, and is gone. */
  #clearBelow(parent: Descriptor, name: Buffer, path: Segments): boolean {
    {
      using directory = openAt(parent, name, constants.O_RDONLY | constants.O_DIRECTORY);
      this.#clear(directory, path);
      if (!this.#implied.has(path) || listNames(directory).length > 0) return false;
    }
    removeEmptyDirectory(parent, name);
    return true;
  }
}
