import { BuildError } from './error.ts';

/** Runs a tool's work and sets the exit code; a failure that was foreseen is told without a stack. */
export async function program(work: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await work();
  } catch (error) {
    process.exitCode = 1;
    if (error instanceof BuildError) process.stderr.write(`rkt: ${messages(error).join('\n  ')}\n`);
    else console.error(error);
  }
}

function messages(error: unknown): string[] {
  if (!(error instanceof Error)) return [];
  return [error.message, ...messages(error.cause)];
}
