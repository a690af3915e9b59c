import type { Run } from '../src/native/line-map.ts';

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/**
 * Which source line each bundle line comes from, out of a source map of version 3. A bundle line that several
 * source lines went into gives one entry for each of them, with the column where it starts.
 */
export function lineRuns(mapText: string): Run[] {
  const { sources, mappings } = JSON.parse(mapText) as { sources: string[]; mappings: string };
  const runs: Run[] = [];
  let source = 0;
  let sourceLine = 0;
  mappings.split(';').forEach((line, index) => {
    let column = 0;
    let last: Run | undefined;
    for (const segment of line.split(',').filter((text) => text !== '')) {
      const [columnStep = 0, sourceStep, lineStep] = decodeVlq(segment);
      column += columnStep;
      if (sourceStep === undefined || lineStep === undefined) continue;
      source += sourceStep;
      sourceLine += lineStep;
      const file = sources[source] ?? '?';
      if (last?.file === file && last.sourceLine === sourceLine + 1) continue;
      const at = last === undefined ? 0 : column + 1;
      last = { bundleLine: index + 1, column: at, file, sourceLine: sourceLine + 1, count: 1 };
      runs.push(last);
    }
  });
  return runs;
}

/** Base 64 digits, five bits each from the lowest, with a continuation bit; the lowest bit of all is the sign. */
export function decodeVlq(text: string): number[] {
  const numbers: number[] = [];
  let value = 0;
  let shift = 0;
  for (const character of text) {
    const digit = alphabet.indexOf(character);
    value += (digit & 31) << shift;
    shift += 5;
    if (digit & 32) continue;
    numbers.push(value & 1 ? -(value >>> 1) : value >>> 1);
    value = 0;
    shift = 0;
  }
  return numbers;
}
