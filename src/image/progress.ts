import type { ImportOptions } from './options.ts';
import { type Bytes, observed } from './stream.ts';

/** Reports after each chunk what has been read of a layer's stream. */
export function withProgress(
  stream: Bytes,
  layer: string,
  { report }: Pick<ImportOptions, 'report'>,
  total?: number,
): Bytes {
  if (report === undefined) return stream;
  let read = 0;
  return observed(stream, (chunk) => {
    read += chunk.length;
    report({ kind: 'layer-progress', layer, read, total });
  });
}
