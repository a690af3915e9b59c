import type { Command } from 'commander';
import { formatPrivateUsers } from '../abi/private-users.ts';
import { openHost } from '../stage0/host.ts';
import { type NetworkCheck, networkChecks } from '../stage0/network-checks.ts';
import type { Patience } from '../stage0/patience.ts';
import { type PodStatus, status } from '../stage0/status.ts';
import { lifeLines } from './app-life.ts';
import { parseDuration } from './duration.ts';
import { CliError } from './error.ts';
import { boolean, Flag, optional, parseBoolean, value } from './flag.ts';
import { formatFlag, jsonText, type OutputFormat } from './format-flag.ts';
import { type GlobalValues, hostOptions } from './global-flags.ts';
import { checkLines, checksJson } from './network-checks.ts';
import { print } from './output.ts';
import { podJson } from './pod-json.ts';
import { networksText } from './pod-networks.ts';
import { portsText } from './pod-ports.ts';
import { printable } from './printable.ts';
import { requireRoot, subcommand } from './subcommand.ts';
import { absoluteTime } from './time.ts';
import { uuidArgument } from './uuid-file.ts';

interface Values extends GlobalValues {
  readonly uuidFile?: string;
  readonly wait?: Patience;
  readonly waitReady?: Patience;
  readonly format?: OutputFormat;
  readonly checkNetworks?: boolean;
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
      new Flag('check-networks', boolean, 'ask the CNI plugins whether all is there that they have made'),
    ],
    'UUID',
  )
    .argument('[UUID]')
    .allowExcessArguments(false)
    .action(async (word: string | undefined, values: Values) => {
      const { uuidFile, wait, waitReady, format = 'text', checkNetworks = false } = values;
      const uuid = uuidArgument(word === undefined ? [] : [word], uuidFile);
      const host = openHost(hostOptions(values));
      if (checkNetworks) requireRoot();
      const pod = await status(host, {
        uuid,
        ...(wait === undefined ? {} : { wait }),
        ...(waitReady === undefined ? {} : { waitReady }),
      });
      const checks = checkNetworks ? await networkChecks(host, pod.uuid) : undefined;
      print(format === 'text' ? statusText(pod, checks) : statusJson(pod, checks, format));
      if (checks?.some(({ verdict }) => verdict === 'failed') === true)
        throw new CliError('some-failed', 'one or more networks are not as their plugins have left them');
    });
}

function statusJson(
  pod: PodStatus,
  checks: readonly NetworkCheck[] | undefined,
  format: 'json' | 'json-pretty',
): string {
  const networkChecks = checks === undefined ? {} : { network_checks: checksJson(checks) };
  const warnings = pod.warnings.length === 0 ? {} : { warnings: pod.warnings };
  return jsonText({ ...podJson(pod), ...warnings, ...networkChecks }, format);
}

/** The lines of `rkt status`. */
export function statusText(pod: PodStatus, checks: readonly NetworkCheck[] = []): string {
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
    ...(pod.privateUsers === undefined
      ? []
      : [`private-users=${formatPrivateUsers(pod.privateUsers).trim()}`]),
    ...(hasRun ? [`pid=${pod.pid ?? -1}`, `exited=${ended}`] : []),
    ...(ended ? codes : []),
    ...(pod.podName === undefined ? [] : [`name=${pod.podName}`]),
    ...pod.apps.flatMap(lifeLines),
    ...(pod.isPaused ? ['paused=true'] : []),
    ...pod.warnings.map((line) => `warning=${printable(line)}`),
  ];
  return `${lines.map((line) => `${line}\n`).join('')}${checkLines(checks)}`;
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
