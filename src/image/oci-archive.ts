import { closeSync, createReadStream, openSync, readSync } from 'node:fs';
import { ImageError } from './error.ts';
import { parsePath } from './extract/index.ts';
import type { Layout, LayoutFile } from './layout-source.ts';
import { requireFile } from './local-file.ts';
import { ByteSource, type Feed, showBytes, TarReader } from './tar/index.ts';

interface Place {
  readonly offset: number;
  readonly size: number;
}

const SCAN_SIZE = 64 * 1024;
const READ_SIZE = 1024 * 1024;

/**
 * An image layout in an uncompressed tar. Its files are read where they lie: one pass over the headers tells where, and nothing is
 * unpacked. @throws ImageError, TarError
 */
export async function openLayoutArchive(path: string): Promise<Layout> {
  requireFile(path);
  const fd = openSync(path, 'r');
  try {
    const places = await findFiles(fd);
    return {
      open: (name) => openMember(path, fd, name, places.get(name)),
      [Symbol.dispose]: () => closeSync(fd),
    };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

async function findFiles(fd: number): Promise<Map<string, Place>> {
  const reader = new TarReader(new ByteSource(fileFeed(fd)), { endMarker: 'required' });
  const places = new Map<string, Place>();
  for await (const entry of reader.entries()) {
    if (entry.kind !== 'file') continue;
    const name = parsePath(entry.path).join('/');
    if (places.has(name))
      throw new ImageError('duplicate-entry', `archive has more than one file ${showBytes(name)}`);
    if (entry.regions.length !== 1)
      throw new ImageError('unsupported', `file ${showBytes(name)} is stored sparse`);
    places.set(name, { offset: reader.contentPosition, size: entry.size });
  }
  return places;
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

function openMember(path: string, fd: number, name: string, place: Place | undefined): LayoutFile {
  if (place === undefined) throw new ImageError('not-found', `no file ${name} in the archive ${path}`);
  const { offset, size } = place;
  return { size, read: (start) => readMember(path, { fd, start: offset + start, end: offset + size - 1 }) };
}

async function* readMember(
  path: string,
  range: { readonly fd: number; readonly start: number; readonly end: number },
): AsyncGenerator<Uint8Array, void, undefined> {
  // The range of a stream includes its end: it cannot be empty.
  if (range.start > range.end) return;
  yield* createReadStream(path, { ...range, autoClose: false, highWaterMark: READ_SIZE });
}
