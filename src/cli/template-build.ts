import type { Command } from 'commander';
import { parseQuantity, wholeUnits } from '../appc/index.ts';
import { openHost } from '../stage0/host.ts';
import { buildTemplate } from '../stage0/templates.ts';
import { withAttention } from './attention.ts';
import { CliError } from './error.ts';
import { Flag, value } from './flag.ts';
import { type GlobalValues, hostOptions } from './global-flags.ts';
import { print } from './output.ts';
import { requireRoot, subcommand } from './subcommand.ts';

interface Values extends GlobalValues {
  readonly cpu?: number;
  readonly memory?: number;
}

export function templateBuildCommand(summary: string): Command {
  return subcommand('template build', summary, [
    amountFlag('cpu', 'N', 'processors of the machine (default: as a pod without limits has)'),
    amountFlag('memory', 'BYTES', 'what the apps of a pod may use together, as 256M or 1Gi (default: 256Mi)'),
  ])
    .allowExcessArguments(false)
    .action(async ({ cpu, memory, ...values }: Values) => {
      requireRoot();
      const host = openHost(hostOptions(values));
      await withAttention(host.debug, async (attention) => {
        const size = {
          ...(cpu === undefined ? {} : { cpus: cpu }),
          ...(memory === undefined ? {} : { appBytes: memory }),
        };
        print(`${await buildTemplate(host, size, attention)}\n`);
      });
    });
}

function amountFlag(name: string, placeholder: string, about: string): Flag {
  const flag = new Flag(name, value(placeholder), about);
  flag.argParser((text: string) => {
    const amount = amountOf(text);
    if (amount !== undefined && amount >= 1) return amount;
    throw new CliError('usage', `--${name}: expected an amount above zero, got ${JSON.stringify(text)}`);
  });
  return flag;
}

function amountOf(text: string): number | undefined {
  try {
    return wholeUnits(parseQuantity(text));
  } catch {
    return undefined;
  }
}
