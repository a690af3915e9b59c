import type { Command } from 'commander';
import { openHost } from '../stage0/host.ts';
import { parsePairs } from '../stage0/marks.ts';
import { listVolumes, type VolumeSummary } from '../stage0/volumes.ts';
import { CliError } from './error.ts';
import { boolean, Flag, values, withLetter } from './flag.ts';
import { formatFlag, jsonText, type OutputFormat } from './format-flag.ts';
import { type GlobalValues, hostOptions } from './global-flags.ts';
import { complain, print } from './output.ts';
import { subcommand } from './subcommand.ts';
import { formatTable } from './table.ts';
import { absoluteTime, relativeTime } from './time.ts';
import { volumeJson } from './volume-json.ts';

interface Values extends GlobalValues {
  readonly full?: boolean;
  readonly noLegend?: boolean;
  readonly format?: OutputFormat;
  readonly label?: readonly string[];
  readonly quiet?: boolean;
}

const LEGEND = ['NAME', 'CREATED', 'PODS'];
const SHORT_UUID = 8;

export function volumeListCommand(summary: string): Command {
  return subcommand('volume list', summary, [
    new Flag('full', boolean, 'whole UUIDs, absolute times'),
    new Flag('no-legend', boolean, 'no line of column names'),
    formatFlag(),
    new Flag('label', values('KEY=VALUE'), 'only volumes with this label'),
    withLetter('q', new Flag('quiet', boolean, 'print names alone')),
  ])
    .allowExcessArguments(false)
    .action(({ full = false, noLegend = false, quiet = false, format = 'text', ...values }: Values) => {
      if (quiet && format !== 'text') throw new CliError('usage', '--quiet and --format exclude each other');
      const wanted = Object.entries(parsePairs('--label', values.label ?? []));
      const host = openHost(hostOptions(values));
      const { volumes, problems } = listVolumes(host);
      const shown = volumes.filter(({ labels }) => wanted.every(([key, value]) => labels[key] === value));
      if (quiet) print(shown.map(({ name }) => `${name}\n`).join(''));
      else if (format === 'text') print(table(shown, full, !noLegend));
      else print(jsonText(shown.length === 0 ? null : shown.map(volumeJson), format));
      for (const { name, error } of problems)
        complain(`list: volume ${JSON.stringify(name)}`, error, host.debug);
    });
}

function table(volumes: readonly VolumeSummary[], full: boolean, legend: boolean): string {
  const rows = volumes.map((volume) => row(volume, full));
  return formatTable(legend ? [LEGEND, ...rows] : rows);
}

function row({ name, created, users }: VolumeSummary, full: boolean): readonly string[] {
  const time = BigInt(created) * 1_000_000n;
  const pods = users.map(({ uuid, podName }) => podName ?? (full ? uuid : uuid.slice(0, SHORT_UUID)));
  return [name, full ? absoluteTime(time) : relativeTime(time), pods.join(', ') || '-'];
}
