import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { requireFile } from './local-file.ts';
import type { Bytes } from './stream.ts';

/** A file of an image layout: its size as found, and its bytes. The stream is for one reading. */
export interface LayoutFile {
  readonly size: number;
  readonly bytes: Bytes;
}

/** An OCI image layout, as a directory or in an archive. */
export interface Layout extends Disposable {
  /** @throws ImageError not-found, naming the path */
  open(path: string): LayoutFile;
}

const READ_SIZE = 1024 * 1024;

export function openLayoutDirectory(directory: string): Layout {
  return { open: (path) => openFile(join(directory, path)), [Symbol.dispose]: () => undefined };
}

function openFile(path: string): LayoutFile {
  return { size: requireFile(path), bytes: readWhenWanted(path) };
}

async function* readWhenWanted(path: string): AsyncGenerator<Uint8Array, void, undefined> {
  yield* createReadStream(path, { highWaterMark: READ_SIZE });
}
