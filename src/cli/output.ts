import { messageOf } from './exit-code.ts';
import { printable, printableLines } from './printable.ts';
import { standardOutput } from './standard-output.ts';

/** In characters. */
const LONGEST_MESSAGE = 4096;

export function print(text: string): void {
  standardOutput().write(text);
}

/** A line on stderr, as `command: message`, whoever the message is from. */
export function warn(command: string, message: string): void {
  process.stderr.write(`${command}: ${shortened(printable(message))}\n`);
}

/** A refused or failed step, in one line; `--debug` adds where it came from. */
export function complain(command: string, error: unknown, debug: boolean): void {
  warn(command, messageOf(error));
  if (debug && error instanceof Error) process.stderr.write(`${printableLines(error.stack ?? '')}\n`);
}

/** Whoever reads it is not helped by all of a value of a megabyte. */
function shortened(message: string): string {
  if (message.length <= LONGEST_MESSAGE) return message;
  return `${message.slice(0, LONGEST_MESSAGE)}... (${message.length - LONGEST_MESSAGE} characters more)`;
}
