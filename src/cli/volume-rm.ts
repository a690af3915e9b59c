import type { Command } from 'commander';
import { openHost } from '../stage0/host.ts';
import { removeVolume } from '../stage0/volumes.ts';
import { CliError } from './error.ts';
import { type GlobalValues, hostOptions } from './global-flags.ts';
import { complain, print } from './output.ts';
import { requireRoot, subcommand } from './subcommand.ts';

export function volumeRmCommand(summary: string): Command {
  return subcommand('volume rm', summary, [], 'VOLUME...')
    .argument('[VOLUME...]')
    .action(async (names: string[], values: GlobalValues) => {
      requireRoot();
      if (names.length === 0) throw new CliError('usage', 'must provide at least one name');
      const host = openHost(hostOptions(values));
      let failed = 0;
      for (const name of names) {
        try {
          print(`${await removeVolume(host, name)}\n`);
        } catch (error) {
          failed += 1;
          complain('rm', error, host.debug);
        }
      }
      if (failed > 0) throw new CliError('some-failed', 'failed to remove one or more volumes');
    });
}
