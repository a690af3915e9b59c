import { Command } from 'commander';
import { CliError } from './error.ts';
import type { Flag } from './flag.ts';
import { GLOBAL_FLAGS } from './global-flags.ts';
import { print } from './output.ts';

/**
 * What each file of a subcommand makes. `summary` is the line that the overview has; `args` are those after its name, for
 * one with a grammar of its own.
 */
export type CommandFactory = (summary: string, args: readonly string[]) => Command;

/** A subcommand with its flags and the global ones; help and errors come as exceptions. */
export function subcommand(
  name: string,
  summary: string,
  flags: readonly Flag[] = [],
  operands?: string,
): Command {
  const command = new Command(`rkt ${name}`)
    .description(summary)
    .helpOption('-h, --help', 'print this help')
    .exitOverride()
    .configureOutput({ writeOut: print, writeErr: () => {} });
  command.usage(`[FLAGS]${operands === undefined ? '' : ` ${operands}`}`);
  for (const flag of flags) command.addOption(flag);
  for (const flag of GLOBAL_FLAGS) command.addOption(flag.helpGroup('Global flags:'));
  return command;
}

/** Throws CliError `unprivileged` for anybody but root. */
export function requireRoot(): void {
  if (process.geteuid?.() !== 0) throw new CliError('unprivileged', 'cannot run as unprivileged user');
}
