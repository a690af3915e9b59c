import { CommanderError } from 'commander';
import { EXIT } from '../abi/exit-code.ts';
import { CliError } from './error.ts';

export { EXIT };

/**
 * The exit code of a command that ended with an error; `failure` is what it has when its command line was all right. Apps' own
 * codes never come this way: their supervisor has them.
 */
export function exitCodeFor(error: unknown, failure: number = EXIT.failure): number {
  // commander throws to end a command that has shown its help.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.failure;
  return error instanceof CliError ? EXIT.failure : failure;
}

/** One line for people: the message, and those of its causes that it does not tell already. */
export function messageOf(error: unknown): string {
  const causes = error instanceof Error ? causesOf(error) : [];
  return causes.reduce(
    (text, cause) => (text.includes(cause) ? text : `${text}: ${cause}`),
    ownMessage(error),
  );
}

/** From the nearest on: who wraps an error mostly has its message in its own, but not what was behind it. */
function causesOf({ cause }: Error): readonly string[] {
  if (cause === undefined) return [];
  return [ownMessage(cause), ...(cause instanceof Error ? causesOf(cause) : [])];
}

function ownMessage(error: unknown): string {
  return error instanceof Error ? error.message.replace(/^error: /, '').trimEnd() : String(error);
}
