import { expect, it } from 'vitest';
import { highest } from '../../../stage1-ns/raised-limits.ts';

it('of each resource the highest limit of any app counts, and none is the highest of all', () => {
  const [NOFILE, CORE] = [7, 4];
  expect(
    highest([
      { resource: NOFILE, soft: 10, hard: 20 },
      { resource: CORE, soft: 0, hard: 0 },
      { resource: NOFILE, soft: 5, hard: 64 },
      { resource: CORE, soft: 0, hard: -1 },
      { resource: NOFILE, soft: 30, hard: 30 },
    ]),
  ).toEqual([
    [NOFILE, 64],
    [CORE, Number.POSITIVE_INFINITY],
  ]);
  expect(highest([])).toEqual([]);
});
