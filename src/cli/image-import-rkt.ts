import type { Command } from 'commander';
import { openHost } from '../stage0/host.ts';
import { importRktStore, type RktImportEvent } from '../stage0/rkt-import.ts';
import { withAttention } from './attention.ts';
import { CliError } from './error.ts';
import { type GlobalValues, hostOptions } from './global-flags.ts';
import { complain, print, warn } from './output.ts';
import { subcommand } from './subcommand.ts';

export function imageImportRktCommand(summary: string): Command {
  return subcommand('image import-rkt', summary, [], 'DIR')
    .argument('<DIR>')
    .allowExcessArguments(false)
    .action(async (directory: string, values: GlobalValues) => {
      const host = openHost(hostOptions(values));
      let failed = false;
      await withAttention(host.debug, (attention, progress) => {
        const report = (event: RktImportEvent) => {
          failed ||= event.kind === 'failed';
          progress.clear();
          show(event, host.debug);
        };
        return importRktStore(host, directory, report, attention);
      });
      if (failed) throw new CliError('some-failed', 'failed to import one or more images');
    });
}

function show(event: RktImportEvent, debug: boolean): void {
  switch (event.kind) {
    case 'imported':
      print(`successfully imported image: "${event.id}" ("${event.name}")\n`);
      return;
    case 'present':
      warn('import-rkt', `image "${event.id}" is in the store already`);
      return;
    case 'failed':
      complain(`import-rkt: image "${event.id}"`, event.error, debug);
      return;
    default:
      event satisfies never;
  }
}
