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

  layer(digest: Digest, signal?: AbortSignal): Promise<void> {
    return this.#hold(layerPin(layerName(digest)), signal);
  }

  blob(digest: Digest, signal?: AbortSignal): Promise<void> {
    return this.#hold(blobPin(digest), signal);
  }

  async #hold(name: string, signal: AbortSignal | undefined): Promise<void> {
    if (this.#held.has(name)) return;
    const lock = await this.#locks.shared(name, signal);
    if (this.#held.has(name)) lock.release();
    else this.#held.set(name, lock);
  }

  [Symbol.dispose](): void {
    for (const lock of this.#held.values()) lock.release();
    this.#held.clear();
  }
}
