import { CommanderError } from 'commander';
import { EXIT } from '../abi/exit-code.ts';

export { EXIT };

/** The exit code of a command that ended with an error. Apps' own codes never come this way: their supervisor has them. */
export function exitCodeFor(error: unknown): number {
  // commander throws to end a command that has shown its help.
  if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
  return EXIT.failure;
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
