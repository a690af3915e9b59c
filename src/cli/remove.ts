import type { Command } from 'commander';
import { openHost } from '../stage0/host.ts';
import { removeEnded } from '../stage0/rm.ts';
import { CliError } from './error.ts';
import { type GlobalValues, hostOptions } from './global-flags.ts';
import { complain } from './output.ts';
import { subcommand } from './subcommand.ts';

/** `rkt __remove UUID CODE`: its exit code is the pod's, whatever becomes of the removal; `gc` takes up what has failed. */
export function removeCommand(summary: string): Command {
  return subcommand('__remove', summary, [], 'UUID CODE')
    .argument('<UUID>')
    .argument('<CODE>')
    .action(async (uuid: string, code: string, values: GlobalValues) => {
      if (!/^\d{1,3}$/.test(code)) throw new CliError('usage', `not an exit code: ${JSON.stringify(code)}`);
      // The pod has ended: there is nothing left that a signal could end, and the removal is short.
      for (const signal of ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM'] as const) process.on(signal, () => {});
      process.exitCode = Number(code);
      try {
        await removeEnded(openHost(hostOptions(values)), uuid);
      } catch (error) {
        complain(`run: pod ${JSON.stringify(uuid)} is not removed`, error, values.debug ?? false);
      }
    });
}
