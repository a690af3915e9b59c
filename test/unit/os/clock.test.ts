import { expect, it } from 'vitest';
import { monotonic, processStart, realtime } from '../../../src/os/clock.ts';

it('tells the time that it is, to a millisecond', () => {
  const before = Date.now();
  const now = realtime();
  expect(now).toBeGreaterThanOrEqual(before - 1);
  expect(now).toBeLessThanOrEqual(Date.now() + 1);
});

it('tells when the process began, as far as nothing comes between two looks at a clock', () => {
  const began = monotonic();
  const start = processStart();
  const taken = monotonic() - began;
  const earliest = Date.now() - process.uptime() * 1000;
  const age = process.uptime() * 1000;
  expect(start).toBeGreaterThanOrEqual(earliest - taken - 2);
  expect(start).toBeLessThanOrEqual(Date.now() - age + 2);
});

it('goes on as the hours do, and never back', () => {
  const moments = Array.from({ length: 1000 }, () => [monotonic(), realtime()] as const);
  for (const [index, [at, time]] of moments.slice(1).entries()) {
    const [earlier, then] = moments[index] ?? [Number.NaN, Number.NaN];
    expect(at).toBeGreaterThanOrEqual(earlier);
    expect(time).toBeGreaterThanOrEqual(then);
  }
});
