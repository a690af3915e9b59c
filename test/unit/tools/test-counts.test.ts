import { describe, expect, it } from 'vitest';
import { addCounts, formatCounts, NO_TESTS, parseCounts } from '../../../tools/test-counts.ts';

const report = (passed: number, failed: number, pending = 0, todo = 0) =>
  JSON.stringify({
    numPassedTests: passed,
    numFailedTests: failed,
    numPendingTests: pending,
    numTodoTests: todo,
  });

describe('parseCounts', () => {
  it('reads the counts', () => {
    expect(parseCounts(report(3, 2), 1)).toEqual({ passed: 3, failed: 2, skipped: 0 });
    expect(parseCounts(report(3, 0, 4, 1), 0)).toEqual({ passed: 3, failed: 0, skipped: 5 });
  });

  it('never lets a broken run look like success', () => {
    expect(parseCounts('', 1)).toEqual({ passed: 0, failed: 1, skipped: 0 });
    expect(parseCounts(report(3, 0), 1)).toEqual({ passed: 3, failed: 1, skipped: 0 });
  });
});

describe('addCounts', () => {
  it('adds each to its own', () => {
    const counts = { passed: 3, failed: 2, skipped: 1 };
    expect(addCounts({ ...NO_TESTS, failed: 1 }, counts)).toEqual({ passed: 3, failed: 3, skipped: 1 });
  });
});

describe('formatCounts', () => {
  it('tells of skipped tests only where there are some', () => {
    expect(formatCounts({ passed: 3, failed: 2, skipped: 0 })).toBe('3 passed, 2 failed');
    expect(formatCounts({ passed: 3, failed: 0, skipped: 1 })).toBe('3 passed, 0 failed, 1 skipped');
  });
});
