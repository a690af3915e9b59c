import type { Digest } from '../oci/index.ts';
import { digestHex } from '../oci/index.ts';
import type { Lock } from '../os/lock.ts';
import { layerName } from './layer-note.ts';
import type { StoreLocks } from './locks.ts';

/** Name of the lock that keeps a layer, by its name in the store. */
export const layerPin = (name: string) => `layer-${name}`;
export const blobPin = (digest: Digest) => `blob-${digestHex(digest)}`;

/**
 * Keeps layers and blobs from being swept between the moment somebody decides to use them and the moment a record or a pod
 * says so. Held by a process: it ends with it, whatever its end.
 */
export class Pins implements Disposable {
  readonly #locks: StoreLocks;
  readonly #held = new Map<string, Lock>();

  constructor(locks: StoreLocks) {
    this.#locks = locks;
  }

  /** False when it was held already. */
  layer(digest: Digest, signal?: AbortSignal): Promise<boolean> {
    return this.#hold(layerPin(layerName(digest)), signal);
  }

  /** False when it was held already. */
  blob(digest: Digest, signal?: AbortSignal): Promise<boolean> {
    return this.#hold(blobPin(digest), signal);
  }

  /** For what turned out not to be there: each pin is a descriptor, and images have hundreds of layers. */
  releaseLayer(digest: Digest): void {
    const name = layerPin(layerName(digest));
    this.#held.get(name)?.release();
    this.#held.delete(name);
  }

  async #hold(name: string, signal: AbortSignal | undefined): Promise<boolean> {
    if (this.#held.has(name)) return false;
    const lock = await this.#locks.shared(name, signal);
    const isNew = !this.#held.has(name);
    if (isNew) this.#held.set(name, lock);
    else lock.release();
    return isNew;
  }

  [Symbol.dispose](): void {
    for (const lock of this.#held.values()) lock.release();
    this.#held.clear();
  }
}
