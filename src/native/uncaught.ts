/** What the prelude does for an error that nobody caught, for programs that must go on for a moment after one. */
declare const native: { uncaught(error: unknown): void };

/** Message, stack in source lines, and causes, on standard error. */
export function printError(error: unknown): void {
  native.uncaught(error);
}
