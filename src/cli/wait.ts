import type { Command } from 'commander';
import { openHost } from '../stage0/host.ts';
import { type PodEnd, wait } from '../stage0/wait.ts';
import { CliError } from './error.ts';
import { Flag, value } from './flag.ts';
import { type GlobalValues, hostOptions } from './global-flags.ts';
import { complain, print, warn } from './output.ts';
import { subcommand } from './subcommand.ts';
import { uuidArguments } from './uuid-file.ts';

interface Values extends GlobalValues {
  readonly uuidFile?: string;
}

export function waitCommand(summary: string): Command {
  return subcommand(
    'wait',
    summary,
    [new Flag('uuid-file', value('FILE'), 'read the UUID from a file')],
    'UUID...',
  )
    .argument('[UUID...]')
    .action(async (words: string[], { uuidFile, ...values }: Values) => {
      const host = openHost(hostOptions(values));
      const waiting = uuidArguments(words, uuidFile).map((uuid) => settled(wait(host, uuid)));
      let unknown = 0;
      for (const each of waiting) {
        const outcome = await each;
        if (!show(outcome, host.debug)) unknown += 1;
      }
      if (unknown > 0) throw new CliError('some-failed', 'the exit code of one or more pods is not known');
    });
}

type Outcome = PodEnd | { readonly error: unknown };

/** Never rejects: one is waited for after the other. */
function settled(waiting: Promise<PodEnd>): Promise<Outcome> {
  return waiting.catch((error: unknown) => ({ error }));
}

/** Whether there was a code to be shown. Each pod that there is has its line. */
function show(outcome: Outcome, debug: boolean): boolean {
  if ('error' in outcome) {
    complain('wait', outcome.error, debug);
    return false;
  }
  print(`${outcome.exitCode ?? 'unknown'}\n`);
  if (outcome.exitCode !== undefined) return true;
  warn('wait', `pod ${JSON.stringify(outcome.uuid)} was killed with its supervisor, or has not run`);
  return false;
}
