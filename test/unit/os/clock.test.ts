import { beforeAll, expect, it, vi } from 'vitest';

/** As a command has it: loaded a moment ago. Over minutes the host's time is set right, now and then. */
let clock: typeof import('../../../src/os/clock.ts');
let loading: number;

beforeAll(async () => {
  vi.resetModules();
  loading = Date.now();
  clock = await import('../../../src/os/clock.ts');
});

it('tells the time that it is, to a millisecond', () => {
  const now = clock.realtime();
  expect(now).toBeGreaterThanOrEqual(loading - 1);
  expect(now).toBeLessThanOrEqual(Date.now() + 1);
});

it('tells when the process began, as far as nothing comes between two looks at a clock', () => {
  const began = clock.monotonic();
  const start = clock.processStart();
  const taken = clock.monotonic() - began;
  const earliest = Date.now() - process.uptime() * 1000;
  const age = process.uptime() * 1000;
  expect(start).toBeGreaterThanOrEqual(earliest - taken - 2);
  expect(start).toBeLessThanOrEqual(Date.now() - age + 2);
});

it('goes on as the hours do, and never back', () => {
  const moments = Array.from({ length: 1000 }, () => [clock.monotonic(), clock.realtime()] as const);
  for (const [index, [at, time]] of moments.slice(1).entries()) {
    const [earlier, then] = moments[index] ?? [Number.NaN, Number.NaN];
    expect(at).toBeGreaterThanOrEqual(earlier);
    expect(time).toBeGreaterThanOrEqual(then);
  }
});
