import { readFileSync, rmSync, statSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseTimeline } from '../../../src/abi/timeline.ts';
import { Timeline } from '../../../src/supervisor/timeline.ts';
import { nativeScratch } from '../../support/native-scratch.ts';

const directory = nativeScratch();
const before = process.cwd();
// Where a supervisor is: in its pod's directory.
beforeEach(() => {
  process.chdir(directory);
  rmSync('timeline', { force: true });
});
afterEach(() => process.chdir(before));

const marks = () => parseTimeline(readFileSync('timeline', 'utf8'));

test('what a start passes is appended as it comes', () => {
  const start = BigInt(Date.now()) * 1_000_000n;
  const timeline = new Timeline();
  timeline.note({ name: 'set-up' });
  timeline.note({ name: 'hello', initMs: 300, helloMs: 350 });
  timeline.note({ name: 'app', app: 'web' });
  const found = marks();
  expect(found.map(({ time, ...mark }) => mark)).toEqual([
    { name: 'set-up' },
    { name: 'hello', initMs: 300, helloMs: 350 },
    { name: 'app', app: 'web' },
  ]);
  expect(found.every(({ time }) => time >= start)).toBe(true);
  expect(statSync('timeline').mode & 0o777).toBe(0o640);
});

test('once the pod is ready only its end is noted: apps may be started again for ever', () => {
  const timeline = new Timeline();
  timeline.note({ name: 'app', app: 'web' });
  timeline.note({ name: 'ready' });
  for (let restart = 0; restart < 3; restart++) timeline.note({ name: 'app', app: 'web' });
  timeline.note({ name: 'ready' });
  timeline.note({ name: 'ended' });
  timeline.note({ name: 'app', app: 'web' });
  expect(marks().map(({ name }) => name)).toEqual(['app', 'ready', 'ended']);
});
