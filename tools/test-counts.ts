export type Counts = { readonly passed: number; readonly failed: number };

/**
 * The counts of vitest's JSON report. A file that could not be loaded has no tests that could fail, and a run
 * that broke off has no report: neither may look like success, so an exit code without a failure counts as one.
 */
export function parseCounts(report: string, exitCode: number): Counts {
  const { numPassedTests, numFailedTests } = report === '' ? {} : fields(JSON.parse(report));
  const passed = typeof numPassedTests === 'number' ? numPassedTests : 0;
  const failed = typeof numFailedTests === 'number' ? numFailedTests : 0;
  return { passed, failed: failed === 0 && exitCode !== 0 ? 1 : failed };
}

function fields(value: unknown): { numPassedTests?: unknown; numFailedTests?: unknown } {
  return typeof value === 'object' && value !== null ? value : {};
}
