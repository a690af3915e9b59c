import type { Command } from 'commander';
import { openHost } from '../stage0/host.ts';
import { becomeMetadataService } from '../stage0/metadata-service.ts';
import { CliError } from './error.ts';
import { Flag, value } from './flag.ts';
import { type GlobalValues, hostOptions } from './global-flags.ts';
import { requireRoot, subcommand } from './subcommand.ts';

interface Values extends GlobalValues {
  readonly listenPort?: string;
}

export function metadataServiceCommand(summary: string): Command {
  return subcommand('metadata-service', summary, [
    new Flag(
      'listen-port',
      value('PORT'),
      'port of all addresses of the host, for the pods (default: 18112)',
    ),
  ])
    .allowExcessArguments(false)
    .action(({ listenPort, ...values }: Values) => {
      requireRoot();
      const host = openHost(hostOptions(values));
      becomeMetadataService(host, port(listenPort), process.env);
    });
}

/** Throws CliError `usage`. */
function port(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= 1 && number <= 65535) return number;
  throw new CliError('usage', `--listen-port: ${JSON.stringify(text)} is no port`);
}
