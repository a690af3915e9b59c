import { Command } from 'commander';
import { EXIT } from '../abi/exit-code.ts';
import { CliError } from './error.ts';
import { exitCodeFor } from './exit-code.ts';
import { normalize, readFlag } from './flag.ts';
import { GLOBAL_FLAGS } from './global-flags.ts';
import { complain, print } from './output.ts';
import type { CommandFactory } from './subcommand.ts';

interface Entry {
  readonly name: string;
  readonly summary: string;
  /** Loaded when asked for: `rkt version` must not pay for `rkt run`. */
  readonly load: () => Promise<CommandFactory>;
}

/** Every subcommand, in the order of the help. */
export const COMMANDS: readonly Entry[] = [
  {
    name: 'cat-manifest',
    summary: 'print the manifest of a pod',
    load: async () => (await import('./cat-manifest.ts')).catManifestCommand,
  },
  {
    name: 'gc',
    summary: 'remove pods that have ended, after a grace period',
    load: async () => (await import('./gc.ts')).gcCommand,
  },
  { name: 'list', summary: 'list pods', load: async () => (await import('./list.ts')).listCommand },
  {
    name: 'rm',
    summary: 'remove pods that do not run, and what they have left',
    load: async () => (await import('./rm.ts')).rmCommand,
  },
  {
    name: 'run',
    summary: 'run images in a new pod',
    load: async () => (await import('./run.ts')).runCommand,
  },
  {
    name: 'status',
    summary: 'print the status of a pod',
    load: async () => (await import('./status.ts')).statusCommand,
  },
  {
    name: 'version',
    summary: 'print the version of rkt',
    load: async () => (await import('./version.ts')).versionCommand,
  },
];

/** Runs a command line (without program and script) and gives its exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  let name = 'rkt';
  try {
    const { before, word, after } = splitCommand(argv);
    if (word === undefined) throw new CliError('missing-command', 'missing command');
    if (['help', '-h', '--help'].includes(word)) return await help(after);
    const entry = findCommand(word);
    name = entry.name;
    await execute(entry, [...before, ...after]);
    return Number(process.exitCode ?? EXIT.ok);
  } catch (error) {
    const code = exitCodeFor(error);
    if (code !== EXIT.ok) complain(name, error, argv.includes('--debug'));
    if (code === EXIT.missingCommand) process.stderr.write(overviewText());
    return code;
  }
}

async function execute(entry: Entry, args: readonly string[]): Promise<void> {
  const factory = await entry.load();
  const command = factory(entry.summary, args);
  await command.parseAsync(normalize(command, args), { from: 'user' });
}

/** Global flags may stand before the subcommand. */
function splitCommand(argv: readonly string[]) {
  let at = 0;
  for (
    let use = readFlag(GLOBAL_FLAGS, argv);
    use !== undefined;
    use = readFlag(GLOBAL_FLAGS, argv.slice(at))
  )
    at += use.length;
  return { before: argv.slice(0, at), word: argv[at], after: argv.slice(at + 1) };
}

/** By its name or an unambiguous beginning, as in rkt. Throws CliError `usage`. */
function findCommand(word: string): Entry {
  const matches = COMMANDS.filter((entry) => entry.name === word || entry.name.startsWith(word));
  const exact = matches.find((entry) => entry.name === word);
  const [match, ...others] = matches;
  if (exact !== undefined) return exact;
  if (word === '' || word.startsWith('-')) throw new CliError('usage', `unknown flag ${word}`);
  if (match === undefined) throw new CliError('usage', `unknown command ${JSON.stringify(word)}`);
  if (others.length === 0) return match;
  const names = matches.map((entry) => entry.name).join(', ');
  throw new CliError('usage', `ambiguous command ${JSON.stringify(word)}: ${names}`);
}

async function help([word, ...rest]: readonly string[]): Promise<number> {
  if (word === undefined) {
    print(overviewText());
    return EXIT.ok;
  }
  if (rest.length > 0) throw new CliError('usage', 'help takes one command');
  await execute(findCommand(word), ['--help']);
  return EXIT.ok;
}

function overviewText(): string {
  const program = new Command('rkt')
    .description('runs pods: groups of apps, each pod in its own virtual machine')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [COMMAND]', 'print the help of a command');
  for (const { name, summary } of COMMANDS) program.command(name).description(summary);
  for (const flag of GLOBAL_FLAGS) program.addOption(flag.helpGroup('Global flags:'));
  return program.helpInformation();
}
