import type { Command } from 'commander';
import { formatConfiguration } from '../config/index.ts';
import { openHost } from '../stage0/host.ts';
import { boolean, Flag } from './flag.ts';
import { jsonText } from './format-flag.ts';
import { type GlobalValues, hostOptions } from './global-flags.ts';
import { print } from './output.ts';
import { subcommand } from './subcommand.ts';

interface Values extends GlobalValues {
  readonly prettyPrint?: boolean;
}

export function configCommand(summary: string): Command {
  return subcommand('config', summary, [new Flag('pretty-print', boolean, 'indent (default: true)')])
    .allowExcessArguments(false)
    .action(({ prettyPrint = true, ...values }: Values) => {
      const { configuration } = openHost(hostOptions(values));
      const document = { stage0: formatConfiguration(configuration) };
      print(jsonText(document, prettyPrint ? 'json-pretty' : 'json'));
    });
}
