import type { Digest } from '../oci/index.ts';
import type { Store } from '../store/index.ts';
import { type BlobDescriptor, Download } from './download.ts';
import type { ImportOptions } from './options.ts';
import type { OciSource } from './source.ts';

/** As many at once as other clients of registries take. */
const AT_ONCE = 3;

/** An image's blobs on their way, a few at once, in the order in which they are needed. The first failure ends them all. */
export class Downloads {
  readonly #downloads: ReadonlyMap<Digest, Download>;
  readonly #stop = new AbortController();
  #reason: unknown;
  readonly #workers: Promise<void>;

  constructor(
    store: Store,
    source: OciSource,
    blobs: readonly BlobDescriptor[],
    options: Pick<ImportOptions, 'report' | 'signal'>,
  ) {
    const signal = AbortSignal.any([
      this.#stop.signal,
      ...(options.signal === undefined ? [] : [options.signal]),
    ]);
    const attention = { ...options, signal };
    this.#downloads = new Map(
      blobs.map((blob) => [blob.digest, new Download(store, blob, source.blob(blob), attention)]),
    );
    this.#workers = this.#runAll();
    // Who waits for a blob learns of its failure there; who waits for none, by `finished`.
    this.#workers.catch(() => undefined);
  }

  of(digest: Digest): Download | undefined {
    return this.#downloads.get(digest);
  }

  /** Whether one of them went on with what a predecessor has left. */
  get haveResumed(): boolean {
    return [...this.#downloads.values()].some(({ isResumed }) => isResumed);
  }

  /** Waits until all blobs are in the store. @throws what the first failure was */
  finished(): Promise<void> {
    return this.#workers;
  }

  /**
   * Ends what still runs because of `reason`, and waits for its end. What has come of it stays for another time, unless it is no good.
   * Returns the first reason: whoever reads a blob may learn that all was given up before anybody says why.
   */
  async stop(reason: unknown): Promise<unknown> {
    this.#giveUp(reason);
    await this.#workers.catch(() => undefined);
    return this.#reason;
  }

  // Not the reason itself: it is no failure of whom the others are fetched from.
  #giveUp(cause: unknown): void {
    if (this.#stop.signal.aborted) return;
    this.#reason = cause;
    this.#stop.abort(new Error('given up with the rest of the image', { cause }));
  }

  async #runAll(): Promise<void> {
    const queue = [...this.#downloads.values()];
    const failures: unknown[] = [];
    const worker = async () => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        try {
          await next.run();
        } catch (error) {
          failures.push(error);
          this.#giveUp(error);
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    if (failures.length > 0) throw failures[0];
  }
}
