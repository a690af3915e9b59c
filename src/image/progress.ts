import type { ImportOptions } from './options.ts';
import { type Bytes, observed } from './stream.ts';

/** Reports after each chunk what has been read of a stream. */
export function withProgress(
  stream: Bytes,
  of: { readonly text: string },
  options: ImportOptions,
  total?: number,
): Bytes {
  const { report } = options;
  if (report === undefined) return stream;
  let read = 0;
  return observed(stream, (chunk) => {
    read += chunk.length;
    report({ kind: 'layer-progress', layer: of.text, read, total });
  });
}
