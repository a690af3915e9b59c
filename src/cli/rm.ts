import type { Command } from 'commander';
import { openHost } from '../stage0/host.ts';
import { rm } from '../stage0/rm.ts';
import { CliError } from './error.ts';
import { Flag, value } from './flag.ts';
import { type GlobalValues, hostOptions } from './global-flags.ts';
import { complain, print } from './output.ts';
import { requireRoot, subcommand } from './subcommand.ts';
import { uuidArguments } from './uuid-file.ts';

interface Values extends GlobalValues {
  readonly uuidFile?: string;
}

export function rmCommand(summary: string): Command {
  return subcommand(
    'rm',
    summary,
    [new Flag('uuid-file', value('FILE'), 'read the UUID from a file')],
    'UUID...',
  )
    .argument('[UUID...]')
    .action(async (words: string[], values: Values) => {
      requireRoot();
      const host = openHost(hostOptions(values));
      let failed = 0;
      for (const uuid of uuidArguments(words, values.uuidFile)) {
        try {
          print(`${JSON.stringify(await rm(host, uuid))}\n`);
        } catch (error) {
          failed += 1;
          complain('rm', error, host.debug);
        }
      }
      if (failed > 0) throw new CliError('some-failed', 'failed to remove one or more pods');
    });
}
