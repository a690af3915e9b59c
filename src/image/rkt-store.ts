import { type Dirent, lstatSync, opendirSync } from 'node:fs';
import { join } from 'node:path';
import { type ImageID, parseImageID } from '../appc/index.ts';
import { isSystemError } from '../os/syscall.ts';
import { ImageError } from './error.ts';

/** An image of another store, as it says itself: its id is to be checked by whoever reads it. */
export interface RktStoreImage {
  readonly id: ImageID;
  /** Of its uncompressed ACI. */
  readonly path: string;
}

/** Where rkt 1.x kept the images that it had fetched, below its data directory. */
const BLOBS = 'cas/blob/sha512';
const SHARD = /^[0-9a-f]{2}$/;
const BLOB = /^sha512-[0-9a-f]{64}$/;

/**
 * The images in the store of rkt 1.x below a data directory: files `cas/blob/sha512/XX/sha512-HEX`, where XX begins HEX, one after the
 * other without a list of all. Whatever else lies there is passed over: rkt left temporary files behind, and kept what it knew of images
 * in a database that nothing here needs. @throws ImageError not-found where there is no such store
 */
export function* rktStoreImages(dataDirectory: string): Generator<RktStoreImage, void, undefined> {
  const blobs = join(dataDirectory, BLOBS);
  if (!isDirectory(blobs))
    throw new ImageError('not-found', `no store of rkt in ${dataDirectory}: there is no directory ${blobs}`);
  for (const shard of entries(blobs)) {
    if (!shard.isDirectory() || !SHARD.test(shard.name)) continue;
    for (const { name } of entries(join(blobs, shard.name))) {
      const path = join(blobs, shard.name, name);
      if (BLOB.test(name) && name.startsWith(`sha512-${shard.name}`) && isFile(path))
        yield { id: parseImageID(name), path };
    }
  }
}

/** One by one: a store may have been filled by somebody else. */
function* entries(directory: string): Generator<Dirent, void, undefined> {
  const open = opendirSync(directory);
  try {
    for (let entry = open.readSync(); entry !== null; entry = open.readSync()) yield entry;
  } finally {
    open.closeSync();
  }
}

// Links are not followed: a store has none, and they may lead anywhere.

function isDirectory(path: string): boolean {
  return statsOf(path)?.isDirectory() ?? false;
}

function isFile(path: string): boolean {
  return statsOf(path)?.isFile() ?? false;
}

function statsOf(path: string) {
  try {
    return lstatSync(path);
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}
