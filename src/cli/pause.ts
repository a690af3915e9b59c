import type { Command } from 'commander';
import { openHost } from '../stage0/host.ts';
import { pauseOrResume } from '../stage0/pause.ts';
import { CliError } from './error.ts';
import { Flag, value } from './flag.ts';
import { type GlobalValues, hostOptions } from './global-flags.ts';
import { complain, print } from './output.ts';
import { requireRoot, subcommand } from './subcommand.ts';
import { uuidArguments } from './uuid-file.ts';

interface Values extends GlobalValues {
  readonly uuidFile?: string;
}

export function pauseCommand(summary: string): Command {
  return command('pause', summary);
}

export function resumeCommand(summary: string): Command {
  return command('resume', summary);
}

function command(name: 'pause' | 'resume', summary: string): Command {
  return subcommand(
    name,
    summary,
    [new Flag('uuid-file', value('FILE'), 'read the UUID from a file')],
    'UUID...',
  )
    .argument('[UUID...]')
    .action(async (words: string[], { uuidFile, ...values }: Values) => {
      requireRoot();
      const host = openHost(hostOptions(values));
      let failed = 0;
      for (const uuid of uuidArguments(words, uuidFile)) {
        try {
          print(`${JSON.stringify(await pauseOrResume(host, uuid, name))}\n`);
        } catch (error) {
          failed += 1;
          complain(name, error, host.debug);
        }
      }
      if (failed > 0) throw new CliError('some-failed', `failed to ${name} one or more pods`);
    });
}
