import type { Command } from 'commander';
import { openHost } from '../stage0/host.ts';
import { buildTemplate, parseTemplateSize } from '../stage0/templates.ts';
import { withAttention } from './attention.ts';
import { Flag, value } from './flag.ts';
import { type GlobalValues, hostOptions } from './global-flags.ts';
import { print } from './output.ts';
import { requireRoot, subcommand } from './subcommand.ts';

interface Values extends GlobalValues {
  readonly cpu?: string;
  readonly memory?: string;
}

export function templateBuildCommand(summary: string): Command {
  return subcommand('template build', summary, [
    new Flag('cpu', value('N'), 'processors of the machine (default: as a pod without limits has)'),
    new Flag(
      'memory',
      value('BYTES'),
      'what the apps of a pod may use together, as 256M or 1Gi (default: 256Mi)',
    ),
  ])
    .allowExcessArguments(false)
    .action(async ({ cpu, memory, ...values }: Values) => {
      requireRoot();
      const host = openHost(hostOptions(values));
      await withAttention(host.debug, async (attention) => {
        print(`${await buildTemplate(host, parseTemplateSize(cpu, memory), attention)}\n`);
      });
    });
}
