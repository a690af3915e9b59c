import { randomUUID } from 'node:crypto';
import { chmodSync, fstatSync, mkdirSync, mkdtempSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Descriptor, openDirectory } from '../os/descriptor.ts';
import { exchangeNames, tryRename } from '../os/directory-entries.ts';
import { syncDirectory } from '../os/durable.ts';
import { type Lock, tryExclusive } from '../os/lock.ts';
import { check, isSystemError } from '../os/syscall.ts';
import { listNames, removeTree, syncFileSystem } from '../os/tree.ts';
import { LAYER_NOTE, type LayerNote } from './layer-note.ts';
import type { StorePaths } from './layout.ts';

const EEXIST = -17;

/**
 * A layer being made, in a directory of its own that is locked as long as its maker lives. One that is not kept is removed with
 * `using`; after a crash, by whoever makes the next.
 */
export class LayerDraft implements Disposable {
  readonly #paths: StorePaths;
  readonly #name: string;
  readonly #lock: Lock;
  #kept = false;

  private constructor(paths: StorePaths, name: string, lock: Lock) {
    this.#paths = paths;
    this.#name = name;
    this.#lock = lock;
  }

  static make(paths: StorePaths): LayerDraft {
    removeAbandoned(paths.tmp);
    for (;;) {
      const path = mkdtempSync(join(paths.tmp, 'layer-'));
      const lock = tryLock(path);
      if (lock === undefined) continue;
      const draft = new LayerDraft(paths, basename(path), lock);
      // Made by hand: below a setgid directory a new one would inherit the group and the bit.
      chmodSync(path, 0o700);
      mkdirSync(draft.rootfs, { mode: 0o700 });
      chmodSync(draft.rootfs, 0o700);
      return draft;
    }
  }

  get directory(): string {
    return join(this.#paths.tmp, this.#name);
  }

  get rootfs(): string {
    return join(this.directory, 'rootfs');
  }

  /**
   * Brings the layer to the disk and gives it its name, at once and whole. False when there is one of that name by now:
   * somebody else made the same layer.
   */
  async keep(name: string, layer: LayerNote): Promise<boolean> {
    this.#note(layer);
    using from = openDirectory(this.#paths.tmp);
    using to = openDirectory(this.#paths.layer);
    await syncFileSystem(from);
    const renamed = tryRename(from, this.#name, to, name);
    if (renamed === EEXIST) return false;
    check(renamed, 'renameat2', name);
    this.#kept = true;
    syncDirectory(this.#paths.layer);
    return true;
  }

  /** As `keep`, in the place of the layer that is there, which goes. Pods that run on the old one keep it. */
  async replace(name: string, layer: LayerNote): Promise<void> {
    this.#note(layer);
    using from = openDirectory(this.#paths.tmp);
    using to = openDirectory(this.#paths.layer);
    await syncFileSystem(from);
    // The draft's name is the old layer's now, and goes with the draft.
    exchangeNames(from, this.#name, to, name);
    syncDirectory(this.#paths.layer);
  }

  #note({ digest, size }: LayerNote): void {
    const path = join(this.#paths.tmp, this.#name, LAYER_NOTE);
    writeFileSync(path, `${digest}\n${size}\n`, { mode: 0o600 });
  }

  [Symbol.dispose](): void {
    try {
      if (!this.#kept) removeLocked(this.#paths.tmp, this.#name);
    } finally {
      this.#lock.release();
    }
  }
}

/** What makers that are gone have left: nobody holds its lock. */
function removeAbandoned(tmp: string): void {
  using directory = openDirectory(tmp);
  for (const name of listNames(directory)) removeAbandonedDirectory(directory, tmp, name.toString());
}

function removeAbandonedDirectory(directory: Descriptor, tmp: string, name: string): void {
  using lock = tryLock(join(tmp, name));
  if (lock !== undefined) removeTree(directory, name);
}

/**
 * Removes a layer. In one step it has no name any more; what a killed process leaves in `tmp`, the next maker of a layer removes.
 */
export function removeLayer(paths: StorePaths, name: string): void {
  using from = openDirectory(paths.layer);
  using to = openDirectory(paths.tmp);
  const doomed = `removed-${randomUUID()}`;
  check(tryRename(from, name, to, doomed), 'renameat2', name);
  removeAbandonedDirectory(to, paths.tmp, doomed);
}

function removeLocked(tmp: string, name: string): void {
  using directory = openDirectory(tmp);
  removeTree(directory, name);
}

// Between a directory's making and its locking somebody may take it for abandoned: then it is gone, and so is the lock's worth.
function tryLock(path: string): Lock | undefined {
  try {
    const lock = tryExclusive(path);
    if (lock === undefined) return undefined;
    if (fstatSync(lock.fd).ino === statSync(path, { throwIfNoEntry: false })?.ino) return lock;
    lock.release();
    return undefined;
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
}
