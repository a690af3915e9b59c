import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { type Digest, parseDigest } from '../oci/index.ts';
import type { Store } from '../store/index.ts';
import { receive } from './download.ts';
import { GrowingFile } from './growing-file.ts';
import type { ImportOptions } from './options.ts';
import type { RemoteBytes } from './source.ts';

/** No image is as large: what goes on beyond is sent to fill a disk. */
const LARGEST_ARCHIVE = 256 * 1024 ** 3;

export interface SpoolRequest {
  /** Names the source: one process at a time fetches from it. */
  readonly key: string;
  /** What progress calls it. */
  readonly what: string;
  readonly remote: RemoteBytes;
  /** Whether what an earlier attempt has left may be gone on with. */
  readonly resume: boolean;
  /** In bytes, where somebody has said so. */
  readonly size?: number | undefined;
}

/**
 * An archive whose digest nobody has named: it is fetched whole before anything is made of it, so that its signature can be
 * checked first. It goes with `using`, unless it has become a blob of the store.
 */
export class Spool implements Disposable {
  readonly #store: Store;
  readonly #lock: Disposable;
  readonly path: string;
  /** Of the bytes as they came. */
  readonly digest: Digest;
  readonly size: number;
  #kept = false;

  constructor(store: Store, lock: Disposable, file: { path: string; digest: Digest; size: number }) {
    this.#store = store;
    this.#lock = lock;
    this.path = file.path;
    this.digest = file.digest;
    this.size = file.size;
  }

  keep(): void {
    this.#store.blobs.keep(this.path, this.digest);
    this.#kept = true;
  }

  [Symbol.dispose](): void {
    if (!this.#kept) rmSync(this.path, { force: true });
    this.#lock[Symbol.dispose]();
  }
}

/** @throws ImageError, and what the other side throws; what has come so far stays, to be gone on with */
export async function spool(
  store: Store,
  request: SpoolRequest,
  { report, signal }: Pick<ImportOptions, 'report' | 'signal'>,
): Promise<Spool> {
  const name = `source-${createHash('sha256').update(request.key).digest('hex')}`;
  const lock = await store.locks.exclusive(name, signal);
  try {
    const path = store.blobs.partialPath(name);
    using file = new GrowingFile(path, 'sha512', request.resume ? 'resume' : 'restart');
    const { what, size } = request;
    const resumed = file.length > 0 ? { resumedFrom: file.length } : {};
    await receive(
      request.remote,
      file,
      {
        what,
        size,
        changed: 'other',
        largest: LARGEST_ARCHIVE,
        progress: (read) => report?.({ kind: 'layer-download', layer: what, read, total: size, ...resumed }),
      },
      { ...(report === undefined ? {} : { report }), ...(signal === undefined ? {} : { signal }) },
    );
    const digest = parseDigest(`sha512:${file.finish()}`);
    return new Spool(store, lock, { path, digest, size: file.length });
  } catch (error) {
    lock.release();
    throw error;
  }
}
