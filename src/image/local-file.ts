import { createReadStream, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { ImageError } from './error.ts';
import type { RemoteBytes } from './source.ts';

const READ_SIZE = 1024 * 1024;
/** A signature is small; what is not is none. In bytes. */
const LARGEST_SIGNATURE = 64 * 1024;

/**
 * The size of a file that is about to be read. Asked before it is opened: a fifo or device in its place would stop the
 * command. @throws ImageError not-found, bad-layout
 */
export function requireFile(path: string): number {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) throw new ImageError('not-found', `no such file: ${path}`);
  if (!stats.isFile()) throw new ImageError('bad-layout', `not a file: ${path}`);
  return stats.size;
}

/** A local file's bytes. */
export function fileBytes(path: string): RemoteBytes {
  return {
    isLocal: true,
    open: async (offset) => ({
      bytes: createReadStream(path, { highWaterMark: READ_SIZE, start: offset }),
      offset,
      total: requireFile(path),
    }),
  };
}

/** @throws ImageError unverified */
export async function readSignature(path: string): Promise<Uint8Array> {
  try {
    const size = requireFile(path);
    if (size > LARGEST_SIGNATURE) throw new ImageError('too-large', `${path} has ${size} bytes`);
    return await readFile(path);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ImageError('unverified', `error opening signature file: ${reason}`, { cause });
  }
}
