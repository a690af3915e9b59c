import { describe, expect, it } from 'vitest';
import {
  formatLineMap,
  parseLineMap,
  type Run,
  sourceOf,
  translateStack,
} from '../../../src/native/line-map.ts';
import { decodeVlq, lineRuns } from '../../../tools/source-map.ts';

const run = (bundleLine: number, sourceLine: number, file = 'a.ts', column = 0): Run => ({
  bundleLine,
  column,
  file,
  sourceLine,
  count: 1,
});

const map = parseLineMap(
  formatLineMap([run(3, 10), run(4, 11), run(4, 15, 'a.ts', 20), run(5, 12), run(7, 1, 'b.ts')]),
);

describe('line map', () => {
  it('joins lines that advance together, over the exceptions within a line', () => {
    expect(map).toEqual([{ ...run(3, 10), count: 3 }, run(4, 15, 'a.ts', 20), run(7, 1, 'b.ts')]);
  });

  it('finds the source of a place', () => {
    expect(sourceOf(map, 5, 1)).toEqual({ file: 'a.ts', line: 12 });
    expect(sourceOf(map, 4, 19)).toEqual({ file: 'a.ts', line: 11 });
    expect(sourceOf(map, 4, 20)).toEqual({ file: 'a.ts', line: 15 });
    expect(sourceOf(map, 7, 99)).toEqual({ file: 'b.ts', line: 1 });
    expect(sourceOf(map, 2, 1)).toBeUndefined();
    expect(sourceOf(map, 6, 1)).toBeUndefined();
  });

  it('translates the frames of a stack and leaves the others', () => {
    const stack =
      '    at inner (program.js:5:3)\n    at program.js:7:1\n    at <eval> (program.js:100:1)\n    at native';
    expect(translateStack(stack, map)).toBe(
      '    at inner (a.ts:12)\n    at b.ts:1\n    at <eval> (program.js:100:1)\n    at native',
    );
  });
});

describe('source map', () => {
  it('decodes base 64 numbers with signs and continuations', () => {
    expect(decodeVlq('AAgBC')).toEqual([0, 0, 16, 1]);
    expect(decodeVlq('DF')).toEqual([-1, -2]);
  });

  it('gives one run for each source line that went into a bundle line', () => {
    // Line 1: column 0 is a.ts:1, column 10 is a.ts:3. Line 2 has no source. Line 3 is b.ts:2.
    const mappings = 'AAAA,UAEA;;ACDA';
    expect(lineRuns(JSON.stringify({ sources: ['a.ts', 'b.ts'], mappings }))).toEqual([
      run(1, 1),
      run(1, 3, 'a.ts', 11),
      run(3, 2, 'b.ts'),
    ]);
  });
});
