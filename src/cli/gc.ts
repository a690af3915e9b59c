import type { Command } from 'commander';
import { type GcEvent, gc } from '../stage0/gc.ts';
import { openHost } from '../stage0/host.ts';
import { collectNetworks, type NetworkGcEvent } from '../stage0/network-gc.ts';
import { collectTemplates } from '../stage0/templates.ts';
import { formatDuration } from './duration.ts';
import { durationFlag } from './duration-flag.ts';
import { CliError } from './error.ts';
import { boolean, Flag } from './flag.ts';
import { type GlobalValues, hostOptions } from './global-flags.ts';
import { complain, print, warn } from './output.ts';
import { requireRoot, subcommand } from './subcommand.ts';

interface Values extends GlobalValues {
  readonly gracePeriod: number;
  readonly expirePrepared: number;
  readonly expireTemplates: number;
  readonly markOnly?: boolean;
  readonly networks?: boolean;
}

const CNI_PATH = 'CNI_PATH';
const GRACE_PERIOD = '30m';
const EXPIRE_PREPARED = '24h';
const EXPIRE_TEMPLATES = '168h';

export function gcCommand(summary: string): Command {
  return subcommand('gc', summary, [
    durationFlag('grace-period', 'how long a pod that has ended is kept', GRACE_PERIOD),
    durationFlag('expire-prepared', 'how long a prepared pod may wait to be run', EXPIRE_PREPARED),
    durationFlag(
      'expire-templates',
      'how long a saved machine is kept that no pod starts from',
      EXPIRE_TEMPLATES,
    ),
    new Flag('mark-only', boolean, 'only mark what has ended: its grace period begins'),
    new Flag(
      'networks',
      boolean,
      'then have CNI plugins take away what no pod has, where only these pods use the networks',
    ),
  ])
    .allowExcessArguments(false)
    .action(
      async ({
        gracePeriod,
        expirePrepared,
        expireTemplates,
        markOnly = false,
        networks = false,
        ...values
      }: Values) => {
        requireRoot();
        if (markOnly && networks)
          throw new CliError('usage', '--mark-only and --networks exclude each other');
        const host = openHost(hostOptions(values));
        let failed = false;
        await gc(host, { gracePeriod, expirePrepared, markOnly }, (event) => {
          failed ||= event.kind === 'failed';
          show(event, gracePeriod, host.debug);
        });
        if (!markOnly)
          for (const key of collectTemplates(host, expireTemplates))
            print(`Garbage collecting template ${JSON.stringify(key)}\n`);
        if (networks)
          await collectNetworks(host, process.env[CNI_PATH], (event) => {
            failed ||= event.kind === 'network-failed';
            showNetwork(event, host.debug);
          });
        if (failed) throw new CliError('some-failed', 'failed to remove one or more pods');
      },
    );
}

function showNetwork(event: NetworkGcEvent, debug: boolean): void {
  const network = `network ${JSON.stringify(event.network)}`;
  if (event.kind === 'network-failed') complain(`gc: ${network}`, event.error, debug);
  else print(`Garbage collecting ${network}\n`);
}

function show(event: GcEvent, gracePeriod: number, debug: boolean): void {
  const pod = `pod ${JSON.stringify(event.uuid)}`;
  switch (event.kind) {
    case 'marked':
      warn('gc', `moving ${pod} to garbage`);
      return;
    case 'collecting':
      print(`Garbage collecting ${pod}\n`);
      return;
    case 'within-grace':
      warn('gc', `${pod} not removed: still within grace period (${formatDuration(gracePeriod)})`);
      return;
    case 'failed':
      complain(`gc: ${pod}`, event.error, debug);
      return;
    default:
      event satisfies never;
  }
}
