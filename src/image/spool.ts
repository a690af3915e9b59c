import { createHash } from 'node:crypto';
import { rmSync, statSync } from 'node:fs';
import { type Digest, parseDigest } from '../oci/index.ts';
import { replaceFile } from '../os/durable.ts';
import { readSharedFile } from '../os/shared-file.ts';
import type { Store } from '../store/index.ts';
import { type Expectation, LARGEST_ARCHIVE, receive } from './download.ts';
import { ImageError, type ImageErrorCode } from './error.ts';
import { GrowingFile } from './growing-file.ts';
import type { ImportOptions } from './options.ts';
import type { RemoteBytes } from './source.ts';

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
  /** What the other side calls the version that comes, once it comes: with it a later attempt may go on. */
  readonly etag?: () => string | undefined;
}

const ETAG = '.etag';
const USELESS: ReadonlySet<ImageErrorCode> = new Set([
  ...(['bad-answer', 'digest-mismatch', 'not-found', 'too-large'] as const),
]);

/** The lock of whoever deals with this address, and what its bytes are called until they are a blob. */
export function lockName(key: string): string {
  return `source-${createHash('sha256').update(key).digest('hex')}`;
}

/** Waits for whoever deals with this address; `what` is what it leads to, for whoever waits. */
export async function lockSource(
  store: Store,
  { key, what }: Pick<SpoolRequest, 'key' | 'what'>,
  { report, signal }: Pick<ImportOptions, 'report' | 'signal'>,
): Promise<Disposable> {
  const free = store.locks.tryExclusive(lockName(key));
  if (free !== undefined) return free;
  report?.({ kind: 'wait', what });
  return store.locks.exclusive(lockName(key), signal);
}

/** The ETag of what an earlier attempt has left. To be asked by the holder of the address's lock. */
export function partialEtag(store: Store, key: string): string | undefined {
  return readSharedFile(`${store.blobs.partialPath(lockName(key))}${ETAG}`);
}

/**
 * An archive whose digest nobody has named: it is fetched whole before anything is made of it, so that its signature can be
 * checked first. It goes with `using`, unless it has become a blob of the store.
 */
export class Spool implements Disposable {
  readonly #store: Store;
  readonly #file: GrowingFile;
  /** What progress calls it. */
  readonly what: string;
  /** Where it is read, as often as need be: it is the same each time. */
  readonly path: string;
  /** Of the bytes as they came. */
  readonly digest: Digest;
  readonly size: number;
  #kept = false;

  /** `file` has come to its end, and goes with this. */
  constructor(store: Store, what: string, file: GrowingFile) {
    this.#store = store;
    this.#file = file;
    this.what = what;
    this.path = file.ownPath;
    this.digest = parseDigest(`sha512:${file.finish()}`);
    this.size = file.length;
  }

  keep(): void {
    this.#store.blobs.keep(this.#file.path, this.digest);
    this.#kept = true;
  }

  [Symbol.dispose](): void {
    const { path } = this.#file;
    this.#file[Symbol.dispose]();
    if (this.#kept) rmSync(`${path}${ETAG}`, { force: true });
    else remove(path);
  }
}

/**
 * The caller holds the address's lock. @throws ImageError, and what the other side throws; what has come so far stays, if it can be
 * gone on with
 */
export async function spool(
  store: Store,
  request: SpoolRequest,
  options: Pick<ImportOptions, 'report' | 'signal'>,
): Promise<Spool> {
  const path = store.blobs.partialPath(lockName(request.key));
  const file = new GrowingFile(path, 'sha512', request.resume ? 'resume' : 'restart');
  try {
    await fill(file, request, options);
    return new Spool(store, request.what, file);
  } catch (error) {
    file[Symbol.dispose]();
    if (!request.resume || isUseless(error) || isEmpty(path)) remove(path);
    throw error;
  }
}

function fill(
  file: GrowingFile,
  { what, size, remote, etag }: SpoolRequest,
  { report, signal }: Pick<ImportOptions, 'report' | 'signal'>,
): Promise<void> {
  const reportProgress = remote.isLocal === true ? undefined : report;
  const resumed = file.length > 0 ? { resumedFrom: file.length } : {};
  const expected: Expectation = {
    what,
    size,
    changed: 'other',
    largest: LARGEST_ARCHIVE,
    // Never may there be bytes of one version and the ETag of another.
    begins: () => noteEtag(file.path, etag?.()),
    progress: (read, total) =>
      reportProgress?.({ kind: 'layer-download', layer: what, read, total, ...resumed }),
  };
  const attention = {
    ...(report === undefined ? {} : { report }),
    ...(signal === undefined ? {} : { signal }),
  };
  return receive(remote, file, expected, attention);
}

function noteEtag(path: string, etag: string | undefined): void {
  if (etag === undefined) rmSync(`${path}${ETAG}`, { force: true });
  else replaceFile(`${path}${ETAG}`, etag);
}

/** Who sends what was not asked for, or too much, or nothing any more, would do so again. */
function isUseless(error: unknown): boolean {
  return error instanceof ImageError && USELESS.has(error.code);
}

function isEmpty(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.size === 0;
}

function remove(path: string): void {
  for (const file of [path, `${path}${ETAG}`]) rmSync(file, { force: true });
}
