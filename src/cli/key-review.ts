import { createInterface } from 'node:readline';
import { CliError } from './error.ts';
import { isTerminal } from './terminal.ts';

const STDIN = 0;
const STDERR = 2;
const QUESTION = 'Are you sure you want to trust this key (yes/no)?';

export interface ReviewOptions {
  readonly signal: AbortSignal;
  /** Takes away what is drawn over: the question is about what was said before. */
  readonly clear?: () => void;
}

/** Asks whoever sits at the terminal about the key that has just been shown; undefined where nobody does. */
export function terminalReview({ signal, clear }: ReviewOptions): (() => Promise<boolean>) | undefined {
  if (!isTerminal(STDERR) || !isTerminal(STDIN)) return undefined;
  return async () => {
    clear?.();
    return await answer(signal);
  };
}

async function answer(signal: AbortSignal): Promise<boolean> {
  // The terminal edits the line and makes signals of keys, as for any command.
  const lines = createInterface({ input: process.stdin, terminal: false, signal });
  try {
    ask();
    for await (const line of lines) {
      if (line === 'yes') return true;
      if (line === 'no') return false;
      process.stderr.write("Please enter 'yes' or 'no'\n");
      ask();
    }
  } finally {
    lines.close();
  }
  signal.throwIfAborted();
  throw new CliError('usage', 'no answer: the input has ended');
}

function ask(): void {
  process.stderr.write(`${QUESTION} `);
}
