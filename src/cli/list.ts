import type { Command } from 'commander';
import { openHost } from '../stage0/host.ts';
import { list, type PodRecord } from '../stage0/list.ts';
import { boolean, Flag } from './flag.ts';
import { formatFlag, jsonText, type OutputFormat } from './format-flag.ts';
import { type GlobalValues, hostOptions } from './global-flags.ts';
import { complain, print } from './output.ts';
import { podJson } from './pod-json.ts';
import { type PodTableStyle, podTable } from './pod-table.ts';
import { subcommand } from './subcommand.ts';

interface Values extends GlobalValues {
  readonly full?: boolean;
  readonly noLegend?: boolean;
  readonly format?: OutputFormat;
}

export function listCommand(summary: string): Command {
  return subcommand('list', summary, [
    new Flag('full', boolean, 'whole UUIDs, image ids, absolute times'),
    new Flag('no-legend', boolean, 'no line of column names'),
    formatFlag(),
  ])
    .allowExcessArguments(false)
    .action(({ full = false, noLegend = false, format = 'text', ...values }: Values) => {
      const host = openHost(hostOptions(values));
      const { pods, problems } = list(host);
      print(render(pods, format, { full, legend: !noLegend }));
      for (const { uuid, error } of problems)
        complain(`list: pod ${JSON.stringify(uuid)}`, error, host.debug);
    });
}

function render(pods: readonly PodRecord[], format: OutputFormat, style: PodTableStyle): string {
  if (format === 'text') return podTable(pods, style);
  return jsonText(pods.length === 0 ? null : pods.map(podJson), format);
}
