import type { Command } from 'commander';
import { openHost } from '../stage0/host.ts';
import { removeEnded } from '../stage0/rm.ts';
import { EXIT } from './exit-code.ts';
import { type GlobalValues, hostOptions } from './global-flags.ts';
import { complain } from './output.ts';
import { subcommand } from './subcommand.ts';

/** `rkt __remove UUID`, which the supervisor of a pod of `--rm` waits for; `gc` takes up what has failed. */
export function removeCommand(summary: string): Command {
  return subcommand('__remove', summary, [], 'UUID')
    .argument('<UUID>')
    .allowExcessArguments(false)
    .action(async (uuid: string, values: GlobalValues) => {
      // A service manager may tell all processes of a unit to end: the removal is short.
      for (const signal of ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM'] as const) process.on(signal, () => {});
      try {
        await removeEnded(openHost(hostOptions(values)), uuid);
      } catch (error) {
        // To whoever reads it this is the end of a run.
        complain(`run: pod ${JSON.stringify(uuid)} is not removed`, error, values.debug ?? false);
        process.exitCode = EXIT.failure;
      }
    });
}
