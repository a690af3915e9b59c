export type TestSupportErrorCode =
  | 'MISSING_REQUIREMENT'
  | 'FIXTURE_FAILED'
  | 'TIMEOUT'
  | 'LEFTOVERS'
  | 'BAD_OUTPUT';

/** What keeps a test from being run at all, or what it left on the machine. */
export class TestSupportError extends Error {
  override readonly name = 'TestSupportError';

  constructor(
    readonly code: TestSupportErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
