import type { Command } from 'commander';
import { openHost } from '../stage0/host.ts';
import { catImageManifest } from '../stage0/images.ts';
import { boolean, Flag } from './flag.ts';
import { type GlobalValues, hostOptions } from './global-flags.ts';
import { print } from './output.ts';
import { printableLines } from './printable.ts';
import { subcommand } from './subcommand.ts';

interface Values extends GlobalValues {
  readonly prettyPrint?: boolean;
}

export function imageCatManifestCommand(summary: string): Command {
  const flags = [new Flag('pretty-print', boolean, 'indent (default: true)')];
  return subcommand('image cat-manifest', summary, flags, 'IMAGE')
    .argument('<IMAGE>')
    .allowExcessArguments(false)
    .action((image: string, { prettyPrint = true, ...values }: Values) => {
      const indent = prettyPrint ? '\t' : undefined;
      print(printableLines(`${catImageManifest(openHost(hostOptions(values)), image, indent)}\n`));
    });
}
