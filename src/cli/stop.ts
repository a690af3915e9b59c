import type { Command } from 'commander';
import { openHost } from '../stage0/host.ts';
import { type Stopped, stop } from '../stage0/stop.ts';
import { CliError } from './error.ts';
import { boolean, Flag, value } from './flag.ts';
import { type GlobalValues, hostOptions } from './global-flags.ts';
import { complain, print } from './output.ts';
import { requireRoot, subcommand } from './subcommand.ts';
import { uuidArguments } from './uuid-file.ts';

interface Values extends GlobalValues {
  readonly force?: boolean;
  readonly uuidFile?: string;
}

export function stopCommand(summary: string): Command {
  return subcommand(
    'stop',
    summary,
    [
      new Flag('force', boolean, 'end the pod at once, without telling its apps'),
      new Flag('uuid-file', value('FILE'), 'read the UUID from a file'),
    ],
    'UUID...',
  )
    .argument('[UUID...]')
    .action(async (words: string[], { force = false, uuidFile, ...values }: Values) => {
      requireRoot();
      const host = openHost(hostOptions(values));
      // All at the same time: each may use up its grace period.
      const stopping = uuidArguments(words, uuidFile).map((uuid) => settled(stop(host, { uuid, force })));
      let failed = 0;
      for (const each of stopping) {
        const outcome = await each;
        if (outcome.kind === 'failed') failed += 1;
        show(outcome, host.debug);
      }
      if (failed > 0) throw new CliError('some-failed', 'failed to stop one or more pods');
    });
}

type Outcome = Stopped | { readonly kind: 'failed'; readonly error: unknown };

/** Never rejects: one is waited for after the other. */
function settled(stopping: Promise<Stopped>): Promise<Outcome> {
  return stopping.catch((error: unknown) => ({ kind: 'failed', error }));
}

function show(outcome: Outcome, debug: boolean): void {
  switch (outcome.kind) {
    case 'stopped':
      print(`${JSON.stringify(outcome.uuid)}\n`);
      return;
    case 'already-stopped':
      print(`pod ${JSON.stringify(outcome.uuid)} is already stopped\n`);
      return;
    case 'failed':
      complain('stop', outcome.error, debug);
      return;
    default:
      outcome satisfies never;
  }
}
