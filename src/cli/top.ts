import type { Command } from 'commander';
import { openHost } from '../stage0/host.ts';
import { CliError } from './error.ts';
import { type GlobalValues, hostOptions } from './global-flags.ts';
import { untilInterrupted } from './interruption.ts';
import { intervalFlag } from './interval-flag.ts';
import { rounds } from './sampling.ts';
import { requireRoot, subcommand } from './subcommand.ts';
import { UsageView } from './usage-view.ts';

interface Values extends GlobalValues {
  readonly interval?: number;
}

const INTERVAL_MILLISECONDS = 2000;

export function topCommand(summary: string): Command {
  return subcommand('top', summary, [intervalFlag('the time between two looks (default: 2s)')], '[UUID...]')
    .argument('[UUID...]')
    .action(async (uuids: string[], { interval = INTERVAL_MILLISECONDS, ...values }: Values) => {
      requireRoot();
      const host = openHost(hostOptions(values));
      await untilInterrupted(async (signal) => {
        using keys = new EndingKeys();
        using view = new UsageView('top', 'cpu');
        try {
          const ending = AbortSignal.any([signal, keys.signal]);
          for await (const round of rounds(host, uuids, interval, ending)) view.show(round);
        } catch (error) {
          keys.signal.throwIfAborted();
          throw error;
        }
      });
    });
}

const KEYS = /[qQ\x03\x04]/;

/** At a terminal: q, Ctrl-C and Ctrl-D, without a line end. */
class EndingKeys implements Disposable {
  readonly #controller = new AbortController();
  readonly #isTerminal = process.stdin.isTTY;

  constructor() {
    if (!this.#isTerminal) return;
    process.stdin.setRawMode(true);
    process.stdin.on('data', this.#read);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  readonly #read = (bytes: Buffer) => {
    if (KEYS.test(bytes.toString('latin1'))) this.#controller.abort(ended());
  };

  [Symbol.dispose](): void {
    if (!this.#isTerminal) return;
    process.stdin.off('data', this.#read);
    process.stdin.setRawMode(false);
    process.stdin.pause();
  }
}

function ended(): CliError {
  return new CliError('interrupted', 'ended by a key');
}
