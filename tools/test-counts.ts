export interface Counts {
  readonly passed: number;
  readonly failed: number;
  /** Tests that did not run, be it that they were skipped or are yet to be written. */
  readonly skipped: number;
}

/**
 * The counts of vitest's JSON report. A file that could not be loaded has no tests that could fail, and a run
 * that broke off has no report: neither may look like success, so that counts as one failure.
 */
export function parseCounts(report: string, exitCode: number): Counts {
  const found = fields(parsed(report));
  const failed = count(found.numFailedTests);
  const broke = exitCode !== 0 || found.numPassedTests === undefined;
  return {
    passed: count(found.numPassedTests),
    failed: failed === 0 && broke ? 1 : failed,
    skipped: count(found.numPendingTests) + count(found.numTodoTests),
  };
}

function parsed(report: string): unknown {
  try {
    return JSON.parse(report);
  } catch {
    // Cut short.
    return {};
  }
}

export const NO_TESTS: Counts = { passed: 0, failed: 0, skipped: 0 };

export function addCounts(one: Counts, other: Counts): Counts {
  return {
    passed: one.passed + other.passed,
    failed: one.failed + other.failed,
    skipped: one.skipped + other.skipped,
  };
}

/** `N passed, N failed`, and only where there are any, how many were skipped. */
export function formatCounts({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`;
}

function count(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}

interface Report {
  readonly numPassedTests?: unknown;
  readonly numFailedTests?: unknown;
  readonly numPendingTests?: unknown;
  readonly numTodoTests?: unknown;
}

function fields(value: unknown): Report {
  return typeof value === 'object' && value !== null ? value : {};
}
