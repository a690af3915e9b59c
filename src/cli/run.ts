import type { Command } from 'commander';
import { openHost } from '../stage0/host.ts';
import { run } from '../stage0/run.ts';
import { parsePodArguments } from './app-arguments.ts';
import { withAttention } from './attention.ts';
import { show } from './detached-pod.ts';
import { globalValues } from './flag-values.ts';
import { GLOBAL_FLAGS, hostOptions } from './global-flags.ts';
import { warn } from './output.ts';
import { deprecations } from './pull-flags.ts';
import { APP_FLAGS, BOTH_FLAGS, POD_FLAGS, POD_OPERANDS } from './run-flags.ts';
import { runRequest } from './run-request.ts';
import { requireRoot, subcommandOfGrammar } from './subcommand.ts';

/** `args` are read by the grammar of several images. */
export function runCommand(summary: string, args: readonly string[]): Command {
  return subcommandOfGrammar('run', summary, args, [...POD_FLAGS, ...APP_FLAGS], POD_OPERANDS).action(() =>
    runPod(args),
  );
}

async function runPod(args: readonly string[]): Promise<void> {
  requireRoot();
  const given = parsePodArguments(args, {
    pod: [...POD_FLAGS, ...GLOBAL_FLAGS],
    app: APP_FLAGS,
    both: BOTH_FLAGS,
  });
  const request = runRequest(given);
  for (const text of deprecations(given.flags)) warn('run', text);
  const host = openHost(hostOptions(globalValues(given.flags)));
  show(await withAttention(host.debug, (attention) => run(host, request, process.env, attention)));
}
