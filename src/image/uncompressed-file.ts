import { randomUUID } from 'node:crypto';
import { closeSync, createReadStream, openSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compressionOf, DEFAULT_EXPANSION, decompressed, type ExpansionLimit } from './decompression.ts';
import { requireFile } from './local-file.ts';

export interface Uncompressing {
  readonly signal?: AbortSignal | undefined;
  /** Tests tighten it. */
  readonly expansion?: ExpansionLimit;
}

const READ_SIZE = 1024 * 1024;

/**
 * A descriptor to read a file's uncompressed content at any place: of the file itself, or of a copy whose name is gone before anything
 * is in it, so that nobody has to clean up; `directory` is where one has room. @throws ImageError not-found, decompression, too-large
 */
export async function openUncompressed(
  path: string,
  directory: string,
  options: Uncompressing,
): Promise<number> {
  requireFile(path);
  const stream = () => createReadStream(path, { highWaterMark: READ_SIZE });
  if ((await compressionOf(stream())) === 'plain') return openSync(path, 'r');
  const fd = openUnnamed(directory);
  try {
    for await (const chunk of decompressed(stream(), options.expansion ?? DEFAULT_EXPANSION)) {
      options.signal?.throwIfAborted();
      writeFileSync(fd, chunk);
    }
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function openUnnamed(directory: string): number {
  const path = join(directory, `.uncompressed-${randomUUID()}`);
  const fd = openSync(path, 'wx+', 0o600);
  unlinkSync(path);
  return fd;
}
