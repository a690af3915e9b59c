import { CliError } from './error.ts';
import { readFlag } from './flag.ts';
import { GLOBAL_FLAGS } from './global-flags.ts';
import type { CommandFactory } from './subcommand.ts';

/** A line of the help: a command, or a word with commands of its own. */
export type Entry = CommandEntry | GroupEntry;

export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  /** Another name of what is listed elsewhere, or not for people. */
  readonly hidden?: true;
  /** No command of rkt 1.30's: a beginning that was enough there still means what it meant. */
  readonly added?: true;
  /** Its flags end at its first operand: what follows is the command line of another program. */
  readonly startsProgram?: true;
  /** Exit code of what goes wrong, but for the command line itself; without one 254. */
  readonly failure?: number;
  /** Loaded when asked for: `rkt version` must not pay for `rkt run`. */
  readonly load: () => Promise<CommandFactory>;
}

export interface GroupEntry {
  readonly name: string;
  readonly summary: string;
  readonly hidden?: true;
  /** As that of a command. */
  readonly added?: true;
  readonly commands: readonly Entry[];
}

/** What a command line asks for; without an entry or group, of the program itself. */
export type Invocation =
  | { readonly kind: 'command'; readonly entry: CommandEntry; readonly args: readonly string[] }
  | { readonly kind: 'help'; readonly entry: Entry | undefined }
  | { readonly kind: 'missing-command'; readonly group: GroupEntry | undefined };

/** Reads a command line up to its command. Global flags may stand before any of its words. Throws CliError `usage`. */
export function readCommandLine(
  argv: readonly string[],
  commands: readonly Entry[],
  group?: GroupEntry,
): Invocation {
  const { before, word, after } = splitCommand(argv);
  if (word === undefined) return { kind: 'missing-command', group };
  if (HELP_WORDS.includes(word)) return { kind: 'help', entry: helpTopic(after, commands, group) };
  const entry = findEntry(word, commands, group);
  const args = [...before, ...after];
  return 'commands' in entry
    ? readCommandLine(args, entry.commands, entry)
    : { kind: 'command', entry, args };
}

const HELP_WORDS = ['help', '-h', '--help'];

function helpTopic(
  words: readonly string[],
  commands: readonly Entry[],
  topic: Entry | undefined,
): Entry | undefined {
  const { word, after } = splitCommand(words);
  if (word === undefined) return topic;
  const entry = findEntry(word, commands, topic);
  if ('commands' in entry) return helpTopic(after, entry.commands, entry);
  if (after.length > 0) throw new CliError('usage', 'help takes one command');
  return entry;
}

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

/** By its name or an unambiguous beginning, as in rkt. */
function findEntry(word: string, commands: readonly Entry[], group: Entry | undefined): Entry {
  const found = commands.filter((entry) => entry.name.startsWith(word));
  const exact = found.find((entry) => entry.name === word);
  if (exact !== undefined) return exact;
  const ofRkt = found.filter((entry) => !('added' in entry));
  const matches = ofRkt.length === 1 ? ofRkt : found;
  const [match, ...others] = matches;
  if (word === '' || word.startsWith('-')) throw new CliError('usage', `unknown flag ${word}`);
  const shown = `${JSON.stringify(word)}${group === undefined ? '' : ` of ${group.name}`}`;
  if (match === undefined) throw new CliError('usage', `unknown command ${shown}`);
  if (others.length === 0) return match;
  const names = matches.map((entry) => entry.name).join(', ');
  throw new CliError('usage', `ambiguous command ${shown}: ${names}`);
}
