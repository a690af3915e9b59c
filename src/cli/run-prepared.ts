import type { Command } from 'commander';
import { openHost } from '../stage0/host.ts';
import { runPrepared } from '../stage0/run-prepared.ts';
import { withAttention } from './attention.ts';
import { show } from './detached-pod.ts';
import { type GlobalValues, hostOptions } from './global-flags.ts';
import { START_FLAGS } from './run-flags.ts';
import { type StartValues, startRequest } from './run-request.ts';
import { requireRoot, subcommand } from './subcommand.ts';
import { uuidArgument } from './uuid-file.ts';

export function runPreparedCommand(summary: string): Command {
  return subcommand('run-prepared', summary, START_FLAGS, 'UUID')
    .argument('[UUID]')
    .allowExcessArguments(false)
    .action(async (word: string | undefined, values: StartValues & GlobalValues) => {
      requireRoot();
      const uuid = uuidArgument(word === undefined ? [] : [word], undefined);
      const request = { uuid, ...startRequest(values) };
      const host = openHost(hostOptions(values));
      show(
        await withAttention(host.debug, (attention) => runPrepared(host, request, process.env, attention)),
      );
    });
}
