import { createHash, randomBytes } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import type { MadeDisk } from '../store/index.ts';
import { ImageError } from './error.ts';
import { BLOCK_BYTES, blocksOf, HashTree } from './hash-tree.ts';

const READ_BYTES = 256 * BLOCK_BYTES;
const SALT_BYTES = 32;

/** Appends to a file system its tree of hashes, which a machine can check what it reads by; gives the digest of all, too. */
export async function sealDisk(path: string, signal: AbortSignal | undefined): Promise<MadeDisk> {
  const salt = randomBytes(SALT_BYTES);
  const hashes = new HashTree(salt);
  const digest = createHash('sha256');
  const file = await open(path, 'r+');
  try {
    const { size } = await file.stat();
    // Whole blocks, as mkfs.erofs writes them.
    await file.truncate(Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES);
    for await (const bytes of readWhole(file)) {
      signal?.throwIfAborted();
      digest.update(bytes);
      for (const block of blocksOf(bytes)) hashes.add(block);
    }
    const { blocks, tree, rootHash } = hashes.finish();
    const { bytesWritten } = await file.write(tree, 0, tree.length, blocks * BLOCK_BYTES);
    // The file system is full.
    if (bytesWritten !== tree.length) throw new ImageError('system', `${path}: not all could be written`);
    digest.update(tree);
    return {
      digest: `sha256:${digest.digest('hex')}`,
      seal: { blocks, salt: salt.toString('hex'), rootHash },
    };
  } finally {
    await file.close();
  }
}

/** In pieces of whole blocks, each good until the next. */
async function* readWhole(file: FileHandle): AsyncGenerator<Buffer, void, undefined> {
  const buffer = Buffer.alloc(READ_BYTES);
  for (let at = 0; ; ) {
    let length = 0;
    for (let count = -1; count !== 0 && length < buffer.length; length += count)
      count = (await file.read(buffer, length, buffer.length - length, at + length)).bytesRead;
    if (length === 0) return;
    yield buffer.subarray(0, length);
    at += length;
  }
}
