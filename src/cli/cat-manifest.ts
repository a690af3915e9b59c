import type { Command } from 'commander';
import { catManifest } from '../stage0/cat-manifest.ts';
import { openHost } from '../stage0/host.ts';
import { boolean, Flag, value } from './flag.ts';
import { type GlobalValues, hostOptions } from './global-flags.ts';
import { print } from './output.ts';
import { printableLines } from './printable.ts';
import { subcommand } from './subcommand.ts';
import { uuidArgument } from './uuid-file.ts';

interface Values extends GlobalValues {
  readonly prettyPrint?: boolean;
  readonly uuidFile?: string;
}

export function catManifestCommand(summary: string): Command {
  return subcommand(
    'cat-manifest',
    summary,
    [
      new Flag('pretty-print', boolean, 'indent (default: true)'),
      new Flag('uuid-file', value('FILE'), 'read the UUID from a file'),
    ],
    'UUID',
  )
    .argument('[UUID]')
    .allowExcessArguments(false)
    .action((word: string | undefined, { prettyPrint = true, uuidFile, ...values }: Values) => {
      const uuid = uuidArgument(word === undefined ? [] : [word], uuidFile);
      const indent = prettyPrint ? '\t' : undefined;
      print(printableLines(`${catManifest(openHost(hostOptions(values)), uuid, indent)}\n`));
    });
}
