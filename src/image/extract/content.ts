import { ftruncateSync, writeSync } from 'node:fs';
import type { Descriptor } from '../../os/descriptor.ts';
import type { Piece } from '../tar/index.ts';

/** Writes pieces where they belong and leaves holes between them. Returns the bytes written. */
export async function writeContent(
  file: Descriptor,
  size: number,
  content: AsyncIterable<Piece>,
): Promise<number> {
  let end = 0;
  let written = 0;
  for await (const { offset, bytes } of content) {
    for (let done = 0; done < bytes.length; ) {
      done += writeSync(file.fd, bytes, done, bytes.length - done, offset + done);
    }
    end = offset + bytes.length;
    written += bytes.length;
  }
  if (end < size) ftruncateSync(file.fd, size);
  return written;
}
