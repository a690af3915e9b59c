import { createHash } from 'node:crypto';
import { type Digest, digestAlgorithm, digestHex } from '../oci/index.ts';
import { ImageError } from './error.ts';

export type Bytes = AsyncIterable<Uint8Array>;

/** Passes a stream on, showing every chunk first to somebody who counts, hashes or objects by throwing. */
export async function* observed(
  stream: Bytes,
  observe: (chunk: Uint8Array) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of stream) {
    observe(chunk);
    yield chunk;
  }
}

export interface VerifiedStream {
  readonly bytes: Bytes;
  /** To be called when the content has been used: it counts only if all of it was there and was what it was said to be. */
  requireComplete(): void;
}

/** A blob as it arrives, which must have the size and digest that its descriptor names; one too long is cut off at once. */
export function verified(
  stream: Bytes,
  { digest, size }: { readonly digest: Digest; readonly size: number },
): VerifiedStream {
  const hash = createHash(digestAlgorithm(digest));
  let read = 0;
  let complete = false;
  async function* bytes(): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of stream) {
      read += chunk.length;
      if (read > size) throw mismatch(`blob ${digest} has more than the ${size} bytes that it should have`);
      hash.update(chunk);
      yield chunk;
    }
    if (read !== size) throw mismatch(`blob ${digest} has ${read} bytes, not ${size}`);
    const found = hash.digest('hex');
    if (found !== digestHex(digest))
      throw mismatch(`blob ${digest} has the digest ${digestAlgorithm(digest)}:${found}`);
    complete = true;
  }
  return {
    bytes: bytes(),
    requireComplete: () => {
      if (!complete) throw mismatch(`blob ${digest} goes on behind its compressed content`);
    },
  };
}

function mismatch(message: string): ImageError {
  return new ImageError('digest-mismatch', message);
}
