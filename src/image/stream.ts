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
