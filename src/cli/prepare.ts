import type { Command } from 'commander';
import { openHost } from '../stage0/host.ts';
import { prepare } from '../stage0/prepare.ts';
import { parsePodArguments } from './app-arguments.ts';
import { withAttention } from './attention.ts';
import { globalValues, isSet } from './flag-values.ts';
import { GLOBAL_FLAGS, hostOptions } from './global-flags.ts';
import { print, warn } from './output.ts';
import { prepareRequest } from './prepare-request.ts';
import { deprecations } from './pull-flags.ts';
import { APP_FLAGS, BOTH_FLAGS, POD_OPERANDS, PREPARE_FLAGS } from './run-flags.ts';
import { requireRoot, subcommandOfGrammar } from './subcommand.ts';

/** `args` are read by the grammar of several images, as those of `run`. */
export function prepareCommand(summary: string, args: readonly string[]): Command {
  return subcommandOfGrammar('prepare', summary, args, [...PREPARE_FLAGS, ...APP_FLAGS], POD_OPERANDS).action(
    () => preparePod(args),
  );
}

async function preparePod(args: readonly string[]): Promise<void> {
  requireRoot();
  const given = parsePodArguments(args, {
    pod: [...PREPARE_FLAGS, ...GLOBAL_FLAGS],
    app: APP_FLAGS,
    both: BOTH_FLAGS,
  });
  const request = prepareRequest(given);
  const isQuiet = isSet(given.flags, 'quiet');
  if (!isQuiet) for (const text of deprecations(given.flags)) warn('prepare', text);
  const host = openHost(hostOptions(globalValues(given.flags)));
  const uuid = await withAttention(host.debug, ({ report, ...attention }) =>
    prepare(host, request, { ...attention, report: isQuiet ? () => {} : report }),
  );
  print(`${uuid}\n`);
}
