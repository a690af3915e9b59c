import { describe, expect, it } from 'vitest';
import { parseCounts } from '../../../tools/test-counts.ts';

describe('parseCounts', () => {
  it('reads the counts', () => {
    expect(parseCounts('{"numPassedTests":3,"numFailedTests":2}', 1)).toEqual({ passed: 3, failed: 2 });
    expect(parseCounts('{"numPassedTests":3,"numFailedTests":0}', 0)).toEqual({ passed: 3, failed: 0 });
  });

  it('never lets a broken run look like success', () => {
    expect(parseCounts('', 1)).toEqual({ passed: 0, failed: 1 });
    expect(parseCounts('{"numPassedTests":3,"numFailedTests":0}', 1)).toEqual({ passed: 3, failed: 1 });
  });
});
