import { createReadStream, rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { type Digest, digestAlgorithm, digestHex } from '../oci/index.ts';
import type { Store } from '../store/index.ts';
import { isDamage } from './damage.ts';
import { ImageError } from './error.ts';
import { GrowingFile } from './growing-file.ts';
import type { ImportOptions } from './options.ts';
import type { RemoteBytes } from './source.ts';
import type { Bytes } from './stream.ts';

export interface BlobDescriptor {
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
}

type Attention = Pick<ImportOptions, 'report' | 'signal'>;

const READ_SIZE = 1024 * 1024;
/** In bytes. No image is as large: what goes on beyond is sent to fill a disk. */
export const LARGEST_ARCHIVE = 256 * 1024 ** 3;

/**
 * A blob on its way into the store. One process fetches it, others that want it wait and then find it. What was fetched of
 * it before somebody was killed is not fetched again; what is not what its digest says is thrown away.
 */
export class Download {
  readonly descriptor: BlobDescriptor;
  readonly #store: Store;
  readonly #remote: RemoteBytes;
  readonly #attention: Attention;
  readonly #opened: Promise<() => Bytes>;
  #open: (read: () => Bytes) => void = () => undefined;
  #refuse: (error: unknown) => void = () => undefined;
  #run: Promise<void> | undefined;
  #isResumed = false;

  constructor(store: Store, descriptor: BlobDescriptor, remote: RemoteBytes, attention: Attention) {
    this.#store = store;
    this.descriptor = descriptor;
    this.#remote = remote;
    this.#attention = attention;
    this.#opened = new Promise((resolve, reject) => {
      this.#open = resolve;
      this.#refuse = reject;
    });
    // Who never asks for the bytes learns of a failure from `run`.
    this.#opened.catch(() => undefined);
  }

  /** Whether it went on with what a predecessor has left, which nobody has checked. */
  get isResumed(): boolean {
    return this.#isResumed;
  }

  /** The blob's bytes, as they come: for one reader. Its end means that they are the right ones. */
  async *bytes(): Bytes {
    const read = await this.#opened;
    yield* read();
  }

  /** Fetches it, once: whoever asks again waits for the same. @throws ImageError digest-mismatch, and what the other side throws */
  run(): Promise<void> {
    this.#run ??= this.#fetch().catch((error: unknown) => {
      this.#refuse(error);
      throw error;
    });
    return this.#run;
  }

  async #fetch(): Promise<void> {
    const { digest } = this.descriptor;
    if (this.#useStored()) return;
    const name = `${digestAlgorithm(digest)}-${digestHex(digest)}`;
    using _lock = await this.#lock(name);
    if (this.#useStored()) return;
    using file = new GrowingFile(this.#store.blobs.partialPath(name), digestAlgorithm(digest), 'resume');
    // Who begins to read when all has come finds the file in its place.
    this.#open(() => (file.isComplete ? storedBytes(this.#store.blobs.path(digest)) : file.follow()));
    try {
      await this.#fill(file);
      this.#keep(file);
      file.complete();
    } catch (error) {
      file.fail(error);
      // Whoever goes on with it would only learn of it at the end.
      if (isDamage(error)) rmSync(file.path, { force: true });
      throw error;
    }
  }

  async #lock(name: string): Promise<Disposable> {
    const { report, signal } = this.#attention;
    const free = this.#store.locks.tryExclusive(name);
    if (free !== undefined) return free;
    report?.({ kind: 'wait', what: `layer ${this.descriptor.digest}` });
    return this.#store.locks.exclusive(name, signal);
  }

  #useStored(): boolean {
    const { digest, size } = this.descriptor;
    const path = this.#store.blobs.path(digest);
    if (this.#store.blobs.size(digest) !== size) return false;
    this.#open(() => storedBytes(path));
    return true;
  }

  async #fill(file: GrowingFile): Promise<void> {
    const { digest, size } = this.descriptor;
    if (file.length > size) file.restart();
    this.#isResumed = file.length > 0;
    const resumed = this.#isResumed ? { resumedFrom: file.length } : {};
    const report = this.#remote.isLocal === true ? undefined : this.#attention.report;
    const progress = (read: number) =>
      report?.({ kind: 'layer-download', layer: digest, read, total: size, ...resumed });
    await receive(this.#remote, file, { what: digest, size, changed: 'same', progress }, this.#attention);
  }

  #keep(file: GrowingFile): void {
    const { digest, size } = this.descriptor;
    const found = file.finish();
    if (found !== digestHex(digest))
      throw new ImageError(
        'digest-mismatch',
        `blob ${digest} of ${size} bytes has the digest ${digestAlgorithm(digest)}:${found}`,
      );
    this.#store.blobs.keep(file.path, digest);
  }
}

async function* storedBytes(path: string): Bytes {
  yield* createReadStream(path, { highWaterMark: READ_SIZE });
}

export interface Expectation {
  /** What messages call it. */
  readonly what: string;
  /** Bytes of the whole, where that is known. */
  readonly size: number | undefined;
  /** Whether another side that begins anew sends the same again, or something else. */
  readonly changed: 'same' | 'other';
  /** Called before anything that a connection brings is added. */
  readonly begins?: () => void;
  /** `total`: bytes of the whole, where that is known or the other side says so. */
  readonly progress: (read: number, total: number | undefined) => void;
  readonly largest?: number;
}

/** Connections in a row that bring next to nothing before it is given up. */
const MOST_FAILURES = 5;
/** In bytes: one at a time would have no end. */
const LEAST_PROGRESS = 64 * 1024;
const FIRST_PAUSE = 250;

/** Fills a file from where it ends, connection after connection. @throws ImageError */
export async function receive(
  remote: RemoteBytes,
  file: GrowingFile,
  expected: Expectation,
  attention: Attention,
): Promise<void> {
  for (let failures = 0; file.length !== expected.size; ) {
    const before = file.length;
    try {
      if (await receiveOnce(remote, file, expected, attention)) return;
    } catch (error) {
      if (!(error instanceof ImageError) || error.code !== 'network') throw error;
      failures = file.length - before >= LEAST_PROGRESS ? 0 : failures + 1;
      if (failures >= MOST_FAILURES) throw error;
      const milliseconds = FIRST_PAUSE * 2 ** failures;
      attention.report?.({ kind: 'retry', what: expected.what, reason: error.message, milliseconds });
      await delay(
        milliseconds,
        undefined,
        attention.signal === undefined ? {} : { signal: attention.signal },
      );
    }
  }
}

/** True when all of it is there. */
async function receiveOnce(
  remote: RemoteBytes,
  file: GrowingFile,
  expected: Expectation,
  { signal }: Attention,
): Promise<boolean> {
  const opened = await remote.open(file.length, signal);
  const size = expected.size ?? opened.total;
  if (opened.offset !== file.length && expected.changed === 'other') file.restart();
  expected.begins?.();
  // What comes again is passed over: the digest of the whole will tell whether it was the same.
  let known = file.length - opened.offset;
  for await (const bytes of opened.bytes) {
    signal?.throwIfAborted();
    const chunk = bytes.subarray(Math.min(known, bytes.length));
    known -= bytes.length - chunk.length;
    if (size !== undefined && file.length + chunk.length > size)
      throw new ImageError('digest-mismatch', `more than the ${size} bytes come that there should be`);
    if (expected.largest !== undefined && file.length + chunk.length > expected.largest)
      throw new ImageError('too-large', `more than the ${expected.largest} bytes come that are allowed`);
    file.append(chunk);
    expected.progress(file.length, size);
  }
  if (size === undefined || file.length === size) return true;
  throw new ImageError('network', `the connection broke off after ${file.length} of ${size} bytes`);
}
