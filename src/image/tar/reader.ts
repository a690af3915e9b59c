import type { ByteSource } from './byte-source.ts';
import type { ByteString } from './bytes.ts';
import { showBytes } from './bytes.ts';
import type { Entry, Metadata, Piece, Region } from './entry.ts';
import { TarError } from './error.ts';
import { ExtendedHeaders } from './extended-headers.ts';
import { BLOCK, type Header, isZeroBlock, parseHeader } from './header.ts';
import { DEFAULT_TAR_LIMITS, type TarLimits } from './limits.ts';
import type { PaxAttributes } from './pax.ts';
import { type PaxSparse, paxSparse, readBodyMap, readGnuMap, type SparseMap, verifyMap } from './sparse.ts';

export interface TarOptions {
  /**
   * Whether an archive must end in its end marker. One that is not checked against a digest must: cut off between two entries,
   * it would otherwise pass for a smaller one.
   */
  readonly endMarker: 'required' | 'optional';
  readonly limits?: TarLimits;
}

/**
 * Reads ustar, pax, GNU and v7 archives from a stream, with memory bounded by `limits` whatever the stream says.
 * `for await (entry of reader.entries())`, and within the loop `reader.content()` for a file's bytes, which are passed over
 * when nobody reads them. Names are as in the archive: hostile ones are for whoever extracts to refuse.
 */
export class TarReader {
  readonly #source: ByteSource;
  readonly #options: TarOptions;
  readonly #limits: TarLimits;
  readonly #extended: ExtendedHeaders;
  #regions: readonly Region[] = [];
  #unread = 0;
  #padding = 0;

  constructor(source: ByteSource, options: TarOptions) {
    this.#source = source;
    this.#options = options;
    this.#limits = options.limits ?? DEFAULT_TAR_LIMITS;
    this.#extended = new ExtendedHeaders(source, this.#limits);
  }

  /** @throws TarError */
  async *entries(): AsyncGenerator<Entry, void, undefined> {
    let count = 0;
    for (;;) {
      await this.#source.skip(this.#unread);
      // umoci's inserted layers end with their last file's last byte.
      await this.#source.skipIfThere(this.#padding);
      this.#startBody(0, []);
      const header = await this.#nextHeader();
      if (header === undefined) return;
      // Extended headers count too: an archive of nothing else must end as well.
      count += 1;
      if (count > this.#limits.entries) throw limit(`more than ${this.#limits.entries} entries`);
      if (await this.#extended.take(header)) continue;
      const entry = await this.#entry(header);
      if (entry !== undefined) yield entry;
    }
  }

  /** Offset in the archive at which the current entry's stored content begins. */
  get contentPosition(): number {
    return this.#source.position;
  }

  /** The current file's bytes and where they belong in it: one piece after another, holes left out. */
  async *content(): AsyncGenerator<Piece, void, undefined> {
    for (const { offset, length } of this.#regions) {
      for (let done = 0; done < length; ) {
        const bytes = await this.#source.some(length - done);
        this.#unread -= bytes.length;
        yield { offset: offset + done, bytes };
        done += bytes.length;
      }
    }
    this.#regions = [];
  }

  async #nextHeader(): Promise<Header | undefined> {
    const block = await this.#source.read(BLOCK);
    if (block === undefined) {
      if (this.#options.endMarker === 'required')
        throw new TarError('truncated', 'archive has no end marker');
      this.#extended.finish();
      return undefined;
    }
    if (!isZeroBlock(block)) return parseHeader(block);
    this.#extended.finish();
    await this.#verifyEnd();
    return undefined;
  }

  // Readers disagree on what follows the end marker: a second archive behind it would be seen by some and not by others.
  async #verifyEnd(): Promise<void> {
    for (let rest = await this.#source.chunk(); rest !== undefined; rest = await this.#source.chunk()) {
      if (!isZeroBlock(rest)) throw new TarError('trailing-data', 'archive goes on behind its end marker');
    }
  }

  async #entry(header: Header): Promise<Entry | undefined> {
    const pax = this.#extended.attributes();
    const metadata: Metadata = {
      path: this.#extended.longName ?? pax.path ?? header.name,
      mode: header.mode,
      uid: id(pax.uid ?? header.uid, 'uid'),
      gid: id(pax.gid ?? header.gid, 'gid'),
      mtime: pax.mtime ?? { seconds: header.mtime, nanoseconds: 0 },
      xattrs: pax.xattrs,
    };
    const target = this.#extended.longLink ?? pax.linkPath ?? header.linkName;
    this.#extended.reset();
    switch (header.type) {
      case '\0':
      case '0':
      case '7':
        // The oldest archives know a directory by its slash alone.
        if (metadata.path.endsWith('/') && header.size === 0) return { ...metadata, kind: 'directory' };
        return this.#file(metadata, header, pax);
      case 'S':
        return this.#gnuSparse(metadata, header, pax);
      case '1':
        return { ...metadata, kind: 'hardlink', target: this.#target(metadata, target) };
      case '2':
        return { ...metadata, kind: 'symlink', target: this.#target(metadata, target) };
      case '3':
        return { ...metadata, kind: 'character', major: header.major, minor: header.minor };
      case '4':
        return { ...metadata, kind: 'block', major: header.major, minor: header.minor };
      case '5':
        return { ...metadata, kind: 'directory' };
      case '6':
        return { ...metadata, kind: 'fifo' };
      default:
        throw new TarError(
          'unsupported',
          `entry ${showBytes(metadata.path)} has the unknown type ${showBytes(header.type)}`,
        );
    }
  }

  async #file(metadata: Metadata, header: Header, pax: PaxAttributes): Promise<Entry> {
    const stored = pax.size ?? header.size;
    if (metadata.path.endsWith('/'))
      throw new TarError('bad-header', `file ${showBytes(metadata.path)} is named as a directory`);
    const sparse = paxSparse(pax.sparse, this.#limits);
    if (sparse === undefined) {
      const regions = [{ offset: 0, length: stored }];
      this.#startBody(stored, regions);
      return { ...metadata, kind: 'file', size: this.#size(stored), regions };
    }
    const map = await this.#sparseMap(sparse, stored);
    return this.#sparseFile({ ...metadata, path: sparse.name ?? metadata.path }, map, stored);
  }

  async #sparseMap(sparse: PaxSparse, stored: number): Promise<SparseMap> {
    if (sparse.kind === 'map') return { size: sparse.size, regions: sparse.regions, consumed: 0 };
    return readBodyMap(this.#source, stored, sparse.size, this.#limits);
  }

  async #gnuSparse(metadata: Metadata, header: Header, pax: PaxAttributes): Promise<Entry> {
    const map = await readGnuMap(this.#source, header, this.#limits);
    return this.#sparseFile(metadata, map, pax.size ?? header.size);
  }

  #sparseFile(metadata: Metadata, map: SparseMap, stored: number): Entry {
    verifyMap(map, stored - map.consumed);
    this.#startBody(stored - map.consumed, map.regions);
    return { ...metadata, kind: 'file', size: this.#size(map.size), regions: map.regions };
  }

  #size(size: number): number {
    if (size > this.#limits.fileSize)
      throw limit(`file of ${size} bytes, at most ${this.#limits.fileSize} are allowed`);
    return size;
  }

  #target(metadata: Metadata, target: ByteString): ByteString {
    if (target === '') throw new TarError('bad-header', `link ${showBytes(metadata.path)} has no target`);
    return target;
  }

  #startBody(stored: number, regions: readonly Region[]): void {
    this.#regions = regions;
    this.#unread = stored;
    this.#padding = (BLOCK - (stored % BLOCK)) % BLOCK;
  }
}

// (uid_t)-1 means "leave it" to chown: an entry that asks for it would keep the extractor's own.
function id(value: number, field: string): number {
  if (value >= 0xffff_ffff) throw new TarError('bad-header', `${field} is out of range: ${value}`);
  return value;
}

function limit(message: string): TarError {
  return new TarError('limit', message);
}
