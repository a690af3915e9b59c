import { messageOf } from './exit-code.ts';
import { printable, printableLines } from './printable.ts';

export function print(text: string): void {
  process.stdout.write(text);
}

/** A line on stderr, as `command: message`, whoever the message is from. */
export function warn(command: string, message: string): void {
  process.stderr.write(`${command}: ${printable(message)}\n`);
}

/** A refused or failed step, in one line; `--debug` adds where it came from. */
export function complain(command: string, error: unknown, debug: boolean): void {
  warn(command, messageOf(error));
  if (debug && error instanceof Error) process.stderr.write(`${printableLines(error.stack ?? '')}\n`);
}
