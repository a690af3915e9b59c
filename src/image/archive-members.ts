import { closeSync, read, readSync } from 'node:fs';
import { promisify } from 'node:util';
import { ImageError } from './error.ts';
import { parsePath } from './extract/index.ts';
import type { LayoutFile } from './layout-source.ts';
import {
  ByteSource,
  type ByteString,
  DEFAULT_TAR_LIMITS,
  type Entry,
  type Feed,
  showBytes,
  TarReader,
} from './tar/index.ts';

type Member =
  | { readonly kind: 'file'; readonly offset: number; readonly size: number }
  /** To another name of the archive, or out of it: only who follows it will see. */
  | { readonly kind: 'symlink'; readonly target: ByteString }
  | { readonly kind: 'hardlink'; readonly target: ByteString };

const readAt = promisify(read);

const SCAN_SIZE = 64 * 1024;
const READ_SIZE = 1024 * 1024;
/** Their names are held in memory. An image has two or three for each of its layers, with a digest as the longest part. */
const LIMITS = { ...DEFAULT_TAR_LIMITS, entries: 50_000, name: 1024 };
const LONGEST_CHAIN = 8;

/**
 * The files of an uncompressed tar, read where they lie: one pass over the headers tells where, and nothing is unpacked. Links lead
 * to other files of the archive, never out of it. Closes the descriptor with `using`.
 */
export class ArchiveMembers implements Disposable {
  readonly #path: string;
  readonly #fd: number;
  readonly #members: ReadonlyMap<ByteString, Member>;

  private constructor(path: string, fd: number, members: ReadonlyMap<ByteString, Member>) {
    this.#path = path;
    this.#fd = fd;
    this.#members = members;
  }

  /** `path` is what messages call the archive. @throws ImageError, TarError; then the descriptor is closed */
  static async open(path: string, fd: number): Promise<ArchiveMembers> {
    try {
      return new ArchiveMembers(path, fd, await findMembers(fd));
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  has(name: string): boolean {
    return this.#members.has(name);
  }

  /** @throws ImageError not-found, hostile-entry */
  open(name: string): LayoutFile {
    const { offset, size } = this.#file(name);
    return { size, read: (start) => this.#read(offset + start, offset + size) };
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }

  #file(name: string) {
    let at: ByteString = name;
    for (let links = 0; links <= LONGEST_CHAIN; links++) {
      const member = this.#members.get(at);
      if (member === undefined)
        throw new ImageError('not-found', `no file ${showBytes(at)} in the archive ${this.#path}`);
      if (member.kind === 'file') return member;
      at = member.kind === 'symlink' ? beside(at, member.target) : parsePath(member.target).join('/');
    }
    throw new ImageError('hostile-entry', `link ${showBytes(name)} leads from link to link`);
  }

  // A read stream would close the descriptor when its reader stops early, whatever it is told.
  async *#read(start: number, end: number): AsyncGenerator<Uint8Array, void, undefined> {
    for (let at = start; at < end; ) {
      const chunk = Buffer.allocUnsafe(Math.min(READ_SIZE, end - at));
      const { bytesRead } = await readAt(this.#fd, chunk, 0, chunk.length, at);
      if (bytesRead === 0) throw new ImageError('bad-layout', `${this.#path} has become shorter`);
      yield chunk.subarray(0, bytesRead);
      at += bytesRead;
    }
  }
}

/** Where a link leads by its own directory. Parents are taken away by name: a directory that is itself a link is not followed. */
function beside(link: ByteString, target: ByteString): ByteString {
  if (target.startsWith('/')) throw leadsOut(link, target);
  const segments = link.split('/').slice(0, -1);
  for (const part of target.split('/').filter((name) => name !== '' && name !== '.')) {
    if (part !== '..') segments.push(part);
    else if (segments.pop() === undefined) throw leadsOut(link, target);
  }
  return segments.join('/');
}

function leadsOut(link: ByteString, target: ByteString): ImageError {
  return new ImageError(
    'hostile-entry',
    `link ${showBytes(link)} leads out of the archive, to ${showBytes(target)}`,
  );
}

async function findMembers(fd: number): Promise<Map<ByteString, Member>> {
  const reader = new TarReader(new ByteSource(fileFeed(fd)), { endMarker: 'required', limits: LIMITS });
  const members = new Map<ByteString, Member>();
  for await (const entry of reader.entries()) {
    const member = memberOf(entry, reader.contentPosition);
    if (member === undefined) continue;
    const name = parsePath(entry.path).join('/');
    if (members.has(name))
      throw new ImageError('duplicate-entry', `archive has more than one file ${showBytes(name)}`);
    members.set(name, member);
  }
  return members;
}

function memberOf(entry: Entry, offset: number): Member | undefined {
  if (entry.kind === 'symlink' || entry.kind === 'hardlink')
    return { kind: entry.kind, target: entry.target };
  if (entry.kind !== 'file') return undefined;
  if (entry.regions.length !== 1)
    throw new ImageError('unsupported', `file ${showBytes(entry.path)} is stored sparse`);
  return { kind: 'file', offset, size: entry.size };
}

function fileFeed(fd: number): Feed {
  let offset = 0;
  return {
    next: async () => {
      const chunk = Buffer.alloc(SCAN_SIZE);
      const length = readSync(fd, chunk, 0, SCAN_SIZE, offset);
      offset += length;
      return length === 0 ? undefined : chunk.subarray(0, length);
    },
    seek: (bytes) => {
      offset += bytes;
    },
  };
}
