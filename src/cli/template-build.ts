import type { Command } from 'commander';
import { openHost } from '../stage0/host.ts';
import { buildTemplate, parseTemplateRequest } from '../stage0/templates.ts';
import { withAttention } from './attention.ts';
import { Flag, value } from './flag.ts';
import { type GlobalValues, hostOptions } from './global-flags.ts';
import { print } from './output.ts';
import { requireRoot, subcommand } from './subcommand.ts';

interface Values extends GlobalValues {
  readonly cpu?: string;
  readonly memory?: string;
  readonly interfaces?: string;
  readonly layers?: string;
}

export function templateBuildCommand(summary: string): Command {
  return subcommand('template build', summary, [
    new Flag('cpu', value('N'), 'processors of the machine (default: as a pod without limits has)'),
    new Flag(
      'memory',
      value('BYTES'),
      'what the apps of a pod may use together, as 256M or 1Gi (default: 256Mi)',
    ),
    new Flag('interfaces', value('N'), 'network interfaces of the machine (default: 1)'),
    new Flag(
      'layers',
      value('N'),
      'layers that are disks, beside one to write to (default: 1 where roots are disks, else no disks)',
    ),
  ])
    .allowExcessArguments(false)
    .action(async ({ cpu, memory, interfaces, layers, ...values }: Values) => {
      requireRoot();
      const host = openHost(hostOptions(values));
      await withAttention(host.debug, async (attention) => {
        print(
          `${await buildTemplate(host, parseTemplateRequest({ cpu, memory, interfaces, layers }), attention)}\n`,
        );
      });
    });
}
