import type { Command } from 'commander';
import { type CopyOptions, copyIn, copyOut, type PodFiles } from '../stage0/copy.ts';
import { openHost } from '../stage0/host.ts';
import { withAttention } from './attention.ts';
import { CliError } from './error.ts';
import { boolean, Flag, value } from './flag.ts';
import { type GlobalValues, hostOptions } from './global-flags.ts';
import { warn } from './output.ts';
import { standardOutput } from './standard-output.ts';
import { requireRoot, subcommand } from './subcommand.ts';

interface Values extends GlobalValues {
  readonly app?: string;
  readonly archive?: boolean;
}

/** An operand: files of a pod, a path of this host, or `-`. */
type Place = PodFiles | string;

const STREAM = '-';

export function cpCommand(summary: string): Command {
  const flags = [
    new Flag('app', value('NAME'), 'the app, of a pod that has several'),
    new Flag('archive', boolean, 'keep the owners of files that come to this host, and set-user-id bits'),
  ];
  return subcommand('cp', summary, flags, 'SOURCE DESTINATION')
    .argument('<SOURCE>')
    .argument('<DESTINATION>')
    .allowExcessArguments(false)
    .action(async (source: string, destination: string, { app, archive = false, ...values }: Values) => {
      requireRoot();
      const [from, to] = [parsePlace(source), parsePlace(destination)];
      const host = openHost(hostOptions(values));
      await withAttention(host.debug, async ({ signal = new AbortController().signal }) => {
        const leftOut = (line: string) => warn('cp', line);
        const options: CopyOptions = { app, keepOwners: archive, signal, leftOut };
        if (typeof from === 'string' && typeof to !== 'string')
          await copyIn(host, from === STREAM ? process.stdin : from, to, options);
        else if (typeof from !== 'string' && typeof to === 'string')
          await copyOut(host, from, to === STREAM ? outputForTar() : to, options);
        else
          throw new CliError('usage', 'one of the two must be UUID:PATH, the other a path of this host or -');
      });
    });
}

/** `UUID:PATH`; a path of this host with a colon has a slash before it, as in `./a:b`. */
export function parsePlace(word: string): Place {
  const match = /^([^:/.][^:/]*):([\s\S]*)$/.exec(word);
  return match === null ? word : { uuid: match[1] ?? '', path: match[2] ?? '' };
}

function outputForTar(): NodeJS.WriteStream {
  const output = standardOutput();
  if (output.isTTY) throw new CliError('usage', 'a tar is not for a terminal: redirect it');
  return output;
}
