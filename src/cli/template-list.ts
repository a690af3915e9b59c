import type { Command } from 'commander';
import { openHost } from '../stage0/host.ts';
import { listTemplates, type TemplateSummary } from '../stage0/templates.ts';
import { formatBytes } from './byte-size.ts';
import { CliError } from './error.ts';
import { boolean, Flag, withLetter } from './flag.ts';
import { formatFlag, jsonText, type OutputFormat } from './format-flag.ts';
import { type GlobalValues, hostOptions } from './global-flags.ts';
import type { JsonValue } from './json.ts';
import { complain, print } from './output.ts';
import { requireRoot, subcommand } from './subcommand.ts';
import { formatTable } from './table.ts';
import { absoluteTime, relativeTime } from './time.ts';

interface Values extends GlobalValues {
  readonly full?: boolean;
  readonly noLegend?: boolean;
  readonly format?: OutputFormat;
  readonly quiet?: boolean;
}

const LEGEND = ['KEY', 'SCOPE', 'CPUS', 'MEMORY', 'DEVICES', 'SPARES', 'SIZE', 'CREATED', 'USED'];
const MIB = 1024 * 1024;

export function templateListCommand(summary: string): Command {
  return subcommand('template list', summary, [
    new Flag('full', boolean, 'absolute times'),
    new Flag('no-legend', boolean, 'no line of column names'),
    formatFlag(),
    withLetter('q', new Flag('quiet', boolean, 'print keys alone')),
  ])
    .allowExcessArguments(false)
    .action(({ full = false, noLegend = false, quiet = false, format = 'text', ...values }: Values) => {
      requireRoot();
      if (quiet && format !== 'text') throw new CliError('usage', '--quiet and --format exclude each other');
      const host = openHost(hostOptions(values));
      const { templates, problems } = listTemplates(host);
      if (quiet) print(templates.map(({ key }) => `${key}\n`).join(''));
      else if (format === 'text') print(table(templates, full, !noLegend));
      else print(jsonText(templates.length === 0 ? null : templates.map(json), format));
      for (const { key, error } of problems)
        complain(`list: template ${JSON.stringify(key)}`, error, host.debug);
    });
}

function table(templates: readonly TemplateSummary[], full: boolean, legend: boolean): string {
  const rows = templates.map((template) => row(template, full ? absoluteTime : relativeTime));
  return formatTable(legend ? [LEGEND, ...rows] : rows);
}

function row(template: TemplateSummary, time: (nanoseconds: bigint) => string): readonly string[] {
  const { key, scope, cpus, memoryMiB, devices, spares, size, created, used } = template;
  return [
    ...[key, scope, String(cpus), formatBytes(memoryMiB * MIB), describe(devices), String(spares)],
    formatBytes(size),
    ...[created * 1000, used].map((milliseconds) => time(BigInt(Math.round(milliseconds)) * 1_000_000n)),
  ];
}

/** `1 net, 2 disks`. */
function describe({ interfaces, disks }: TemplateSummary['devices']): string {
  const parts = [
    ...(interfaces > 0 ? [`${interfaces} net`] : []),
    ...(disks.length > 0 ? [`${disks.length} disks`] : []),
  ];
  return parts.length === 0 ? '-' : parts.join(', ');
}

/** Times in seconds, as those of pods. */
function json({
  key,
  scope,
  accelerator,
  cpus,
  memoryMiB,
  devices,
  stage1,
  kernel,
  spares,
  size,
  created,
  used,
}: TemplateSummary): JsonValue {
  const machine = { accelerator, cpus, memory_bytes: memoryMiB * MIB, kernel, stage1 };
  return {
    key,
    scope,
    ...machine,
    devices: { ...devices },
    spares,
    size,
    created_at: created,
    used_at: Math.floor(used / 1000),
  };
}
