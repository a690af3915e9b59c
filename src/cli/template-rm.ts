import type { Command } from 'commander';
import { openHost } from '../stage0/host.ts';
import { removeTemplate } from '../stage0/templates.ts';
import { CliError } from './error.ts';
import { type GlobalValues, hostOptions } from './global-flags.ts';
import { complain, print } from './output.ts';
import { requireRoot, subcommand } from './subcommand.ts';

export function templateRmCommand(summary: string): Command {
  return subcommand('template rm', summary, [], 'TEMPLATE...')
    .argument('[TEMPLATE...]')
    .action((keys: string[], values: GlobalValues) => {
      requireRoot();
      if (keys.length === 0) throw new CliError('usage', 'must provide at least one key');
      const host = openHost(hostOptions(values));
      let failed = 0;
      for (const key of keys) {
        try {
          removeTemplate(host, key);
          print(`${key}\n`);
        } catch (error) {
          failed += 1;
          complain('rm', error, host.debug);
        }
      }
      if (failed > 0) throw new CliError('some-failed', 'failed to remove one or more templates');
    });
}
