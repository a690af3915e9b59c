import { expect, test } from 'vitest';
import { timeLimit } from '../../../src/net/time-limits.ts';

test('a call alone may take as long as its command may', () => {
  expect(timeLimit('ADD')).toBe(120_000);
  expect(timeLimit('DEL')).toBe(30_000);
});

test('of many that hang those that come after have their time, too, before whoever waits for all gives up', () => {
  let left = 70_000;
  let all = 0;
  for (let call = 0; call < 8; call++) {
    const limit = timeLimit('DEL', left);
    expect(limit).toBeGreaterThanOrEqual(5000);
    left -= limit;
    all += limit;
  }
  // Without rules, and what else there is (`GC_TIMEOUT_MILLISECONDS` of stage0).
  expect(all).toBeLessThan(100_000);
});
