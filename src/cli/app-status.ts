import type { Command } from 'commander';
import { appStatus } from '../stage0/app-status.ts';
import { openHost } from '../stage0/host.ts';
import type { AppRecord } from '../stage0/list.ts';
import { appFlag, requiredApp } from './app-flags.ts';
import { formatFlag, jsonText, type OutputFormat } from './format-flag.ts';
import { type GlobalValues, hostOptions } from './global-flags.ts';
import { print } from './output.ts';
import { appJson } from './pod-json.ts';
import { printable } from './printable.ts';
import { subcommand } from './subcommand.ts';
import { absoluteTime } from './time.ts';
import { uuidArgument } from './uuid-file.ts';

interface Values extends GlobalValues {
  readonly app?: string;
  readonly format?: OutputFormat;
}

export function appStatusCommand(summary: string): Command {
  return subcommand('app status', summary, [appFlag(), formatFlag()], 'UUID')
    .argument('[UUID]')
    .allowExcessArguments(false)
    .action((word: string | undefined, { app, format = 'text', ...values }: Values) => {
      const uuid = uuidArgument(word === undefined ? [] : [word], undefined);
      const record = appStatus(openHost(hostOptions(values)), { uuid, app: requiredApp(app) });
      print(format === 'text' ? appStatusText(record) : jsonText(appJson(record), format));
    });
}

/** The lines of `rkt app status`: what is not known, or not there, has none. */
export function appStatusText(app: AppRecord): string {
  const lines = [
    ['name', app.name],
    ['state', app.state],
    ['image_id', app.imageId],
    ['created_at', timeText(app.created)],
    ['started_at', timeText(app.started)],
    ['finished_at', timeText(app.finished)],
    ['exit_code', app.exitCode?.toString()],
    ['mounts', mountsText(app.mounts)],
    ['user_annotations', pairsText(app.userAnnotations)],
    ['user_labels', pairsText(app.userLabels)],
  ] as const;
  return lines
    .flatMap(([name, text]) => (text === undefined ? [] : [`${name}=${printable(text)}\n`]))
    .join('');
}

function timeText(nanoseconds: bigint | undefined): string | undefined {
  return nanoseconds === undefined ? undefined : absoluteTime(nanoseconds);
}

function pairsText(pairs: AppRecord['userLabels']): string | undefined {
  const texts = Object.entries(pairs ?? {}).map(([key, value]) => `${key}:${value}`);
  return texts.length === 0 ? undefined : texts.join(',');
}

/** As rkt: the host's path, which only some volumes have, and the app's. */
function mountsText(mounts: AppRecord['mounts']): string | undefined {
  return mounts
    ?.map(({ source = '', target, readOnly }) => `${source}:${target}:(read_only:${readOnly})`)
    .join(',');
}
