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
  const command = bareSubcommand(name, summary, operands);
  for (const flag of flags) command.addOption(flag);
  for (const flag of GLOBAL_FLAGS) command.addOption(flag.helpGroup('Global flags:'));
  return command;
}

function bareSubcommand(name: string, summary: string, operands: string | undefined): Command {
  return new Command(`rkt ${name}`)
    .description(summary)
    .helpOption('-h, --help', 'print this help')
    .exitOverride()
    .configureOutput({ writeOut: print, writeErr: () => {} })
    .usage(`[FLAGS]${operands === undefined ? '' : ` ${operands}`}`);
}

/** As the word that asks for help, or letters of which one does. */
const HELP = /^(?:--help|-[^-]*h.*)$/;

/**
 * As `subcommand`, for `args` of a grammar of their own, which the action reads: commander only sees whether help is asked for. It is
 * told of the flags when it is, and by nobody who runs a pod: for a hundred of them it takes a while.
 */
export function subcommandOfGrammar(
  name: string,
  summary: string,
  args: readonly string[],
  flags: readonly Flag[],
  operands?: string,
): Command {
  const listsFlags = args.length === 0 || args.some((word) => HELP.test(word));
  const command = listsFlags
    ? subcommand(name, summary, flags, operands)
    : bareSubcommand(name, summary, operands);
  return command.allowUnknownOption().allowExcessArguments();
}

/** Throws CliError `unprivileged` for anybody but root. */
export function requireRoot(): void {
  if (process.geteuid?.() !== 0) throw new CliError('unprivileged', 'cannot run as unprivileged user');
}
