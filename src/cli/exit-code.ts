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
  if (!(error instanceof Error)) return String(error);
  const message = error.message.replace(/^error: /, '').trimEnd();
  if (error.cause === undefined) return message;
  const cause = messageOf(error.cause);
  return message.includes(cause) ? message : `${message}: ${cause}`;
}
