import type { Command } from 'commander';
import { exportPod } from '../stage0/export.ts';
import { openHost } from '../stage0/host.ts';
import type { ExportFormat } from '../stage0/image-output.ts';
import { withAttention } from './attention.ts';
import { boolean, Flag, value } from './flag.ts';
import { type GlobalValues, hostOptions } from './global-flags.ts';
import { exportFormatFlag, formatOf } from './image-export.ts';
import { warn } from './output.ts';
import { requireRoot, subcommand } from './subcommand.ts';

interface Values extends GlobalValues {
  readonly app?: string;
  readonly overwrite?: boolean;
  readonly format?: ExportFormat;
}

export function exportCommand(summary: string): Command {
  const flags = [
    new Flag('app', value('NAME'), 'the app, of a pod that has several'),
    new Flag('overwrite', boolean, 'replace a file that is there'),
    exportFormatFlag(),
  ];
  return subcommand('export', summary, flags, 'UUID FILE')
    .argument('<UUID>')
    .argument('<FILE>')
    .allowExcessArguments(false)
    .action(async (uuid: string, path: string, { app, overwrite = false, format, ...values }: Values) => {
      requireRoot();
      const request = { uuid, app, path, format: format ?? formatOf(path), overwrite };
      const host = openHost(hostOptions(values));
      await withAttention(host.debug, (attention) =>
        exportPod(host, request, attention, (line) => warn('export', line)),
      );
    });
}
