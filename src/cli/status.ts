import type { Command } from 'commander';
import { openHost } from '../stage0/host.ts';
import type { PodRecord } from '../stage0/list.ts';
import type { Patience } from '../stage0/patience.ts';
import { status } from '../stage0/status.ts';
import { lifeLines } from './app-life.ts';
import { parseDuration } from './duration.ts';
import { Flag, optional, parseBoolean, value } from './flag.ts';
import { formatFlag, jsonText, type OutputFormat } from './format-flag.ts';
import { type GlobalValues, hostOptions } from './global-flags.ts';
import { print } from './output.ts';
import { podJson } from './pod-json.ts';
import { networksText } from './pod-networks.ts';
import { portsText } from './pod-ports.ts';
import { subcommand } from './subcommand.ts';
import { absoluteTime } from './time.ts';
import { uuidArgument } from './uuid-file.ts';

interface Values extends GlobalValues {
  readonly uuidFile?: string;
  readonly wait?: Patience;
  readonly waitReady?: Patience;
  readonly format?: OutputFormat;
}

export function statusCommand(summary: string): Command {
  return subcommand(
    'status',
    summary,
    [
      new Flag('uuid-file', value('FILE'), 'read the UUID from a file'),
      waitFlag('wait', 'wait until the pod has ended'),
      waitFlag('wait-ready', 'wait until all apps have been started'),
      formatFlag(),
    ],
    'UUID',
  )
    .argument('[UUID]')
    .allowExcessArguments(false)
    .action(async (word: string | undefined, values: Values) => {
      const { uuidFile, wait, waitReady, format = 'text' } = values;
      const uuid = uuidArgument(word === undefined ? [] : [word], uuidFile);
      const pod = await status(openHost(hostOptions(values)), {
        uuid,
        ...(wait === undefined ? {} : { wait }),
        ...(waitReady === undefined ? {} : { waitReady }),
      });
      print(format === 'text' ? statusText(pod) : jsonText(podJson(pod), format));
    });
}

/** The lines of `rkt status`. */
export function statusText(pod: PodRecord): string {
  const hasRun = !['embryo', 'preparing', 'aborted prepare', 'prepared', 'garbage', 'deleting'].includes(
    pod.state,
  );
  const ended = hasRun && pod.state !== 'running';
  const codes = pod.apps.flatMap(({ name, exitCode }) =>
    exitCode === undefined ? [] : [`app-${name}=${exitCode}`],
  );
  const lines = [
    `state=${pod.state}`,
    ...(pod.created === undefined ? [] : [`created=${absoluteTime(pod.created)}`]),
    ...(pod.started === undefined ? [] : [`started=${absoluteTime(pod.started)}`]),
    ...(pod.state === 'running' || pod.state === 'exited'
      ? [`networks=${networksText(pod.networks ?? [])}`]
      : []),
    ...(pod.ports === undefined ? [] : [`ports=${portsText(pod.ports)}`]),
    ...(hasRun ? [`pid=${pod.pid ?? -1}`, `exited=${ended}`] : []),
    ...(ended ? codes : []),
    ...(pod.podName === undefined ? [] : [`name=${pod.podName}`]),
    ...pod.apps.flatMap(lifeLines),
    ...(pod.isPaused ? ['paused=true'] : []),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

/** `--wait`, `--wait=false`, `--wait=10s`. */
function waitFlag(name: string, description: string): Flag {
  const flag = new Flag(name, optional('DURATION', 'true'), description);
  flag.argParser((text: string): Patience | undefined => {
    if (/^\d+(\.\d+)?[a-zµμ]/.test(text)) return { milliseconds: parseDuration(text) };
    return parseBoolean(text) ? { milliseconds: undefined } : undefined;
  });
  return flag;
}
