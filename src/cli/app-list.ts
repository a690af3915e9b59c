import type { Command } from 'commander';
import { openHost } from '../stage0/host.ts';
import { status } from '../stage0/status.ts';
import { boolean, Flag } from './flag.ts';
import { type GlobalValues, hostOptions } from './global-flags.ts';
import { print } from './output.ts';
import { subcommand } from './subcommand.ts';
import { formatTable } from './table.ts';
import { uuidArgument } from './uuid-file.ts';

interface Values extends GlobalValues {
  readonly noLegend?: boolean;
}

export function appListCommand(summary: string): Command {
  return subcommand('app list', summary, [new Flag('no-legend', boolean, 'no line of column names')], 'UUID')
    .argument('[UUID]')
    .allowExcessArguments(false)
    .action(async (word: string | undefined, { noLegend = false, ...values }: Values) => {
      const uuid = uuidArgument(word === undefined ? [] : [word], undefined);
      const { apps } = await status(openHost(hostOptions(values)), { uuid });
      const rows = apps.map(({ name, state }) => [name, state]);
      print(formatTable(noLegend ? rows : [['NAME', 'STATE'], ...rows]));
    });
}
