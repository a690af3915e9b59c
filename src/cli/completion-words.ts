import { InvalidArgumentError } from 'commander';
import type { FlagValues } from './app-arguments.ts';
import { type Entry, type Invocation, readCommandLine } from './command-line.ts';
import { awaitingValue, operandAt, readArguments } from './completion-arguments.ts';
import type { Candidate } from './completion-candidate.ts';
import { type Completion, placeholderCompletion, valueCompletion } from './completion-sources.ts';
import { Flag } from './flag.ts';
import { GLOBAL_FLAGS } from './global-flags.ts';

/**
 * What may stand at the end of an unfinished command line: `words` are those behind `rkt`, the last one as far as it is
 * typed. Throws CliError where what comes before is no command.
 */
export async function complete(words: readonly string[], commands: readonly Entry[]): Promise<Completion> {
  const typed = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const completion = await completeAfter(before, typed, commands);
  if (completion.kind !== 'words') return completion;
  return { kind: 'words', candidates: completion.candidates.filter(({ word }) => word.startsWith(typed)) };
}

async function completeAfter(
  before: readonly string[],
  typed: string,
  commands: readonly Entry[],
): Promise<Completion> {
  const invocation = invocationOf(before, commands);
  switch (invocation?.kind) {
    case undefined:
      return argument(GLOBAL_FLAGS, '', before, typed);
    case 'missing-command':
      if (typed.startsWith('-')) return argument(GLOBAL_FLAGS, '', before, typed);
      return ofWords([...listed(invocation.group?.commands ?? commands), HELP_COMMAND]);
    case 'help':
      if (invocation.entry === undefined) return ofWords(listed(commands));
      return ofWords('commands' in invocation.entry ? listed(invocation.entry.commands) : []);
    case 'command': {
      const { entry, args } = invocation;
      const command = (await entry.load())(entry.summary, []);
      const flags = command.options.filter((option) => option instanceof Flag);
      return argument(flags, command.usage(), args, typed, entry.startsProgram);
    }
    default:
      return invocation satisfies never;
  }
}

/** Undefined: the line ends in a global flag whose value is yet to come. */
function invocationOf(before: readonly string[], commands: readonly Entry[]): Invocation | undefined {
  try {
    return readCommandLine(before, commands);
  } catch (error) {
    if (error instanceof InvalidArgumentError && awaitingValue(GLOBAL_FLAGS, before.at(-1))) return undefined;
    throw error;
  }
}

function argument(
  known: readonly Flag[],
  usage: string,
  args: readonly string[],
  typed: string,
  startsProgram = false,
): Completion {
  const { flags, operands, pending, afterDashes } = readArguments(known, args, startsProgram);
  if (pending !== undefined) return valueCompletion(pending, typed, flags, operands);
  // What a program in a pod is given is its own affair; to most it is files.
  if (afterDashes && (startsProgram ? operands.length > 0 : usage.includes('---'))) return { kind: 'files' };
  if (typed.startsWith('-') && !afterDashes) return flagCompletion(known, typed, flags, operands);
  return placeholderCompletion(operandAt(usage, operands.length), typed, flags);
}

function flagCompletion(
  known: readonly Flag[],
  typed: string,
  flags: FlagValues,
  operands: readonly string[],
): Completion {
  const [, name, value] = /^--([^=]+)=(.*)$/s.exec(typed) ?? [];
  const flag = known.find((candidate) => candidate.name() === name);
  if (value === undefined) return ofWords([...known.flatMap(spellings), HELP_FLAG]);
  if (flag === undefined) return ofWords([]);
  const completion = valueCompletion(flag, value, flags, operands);
  if (completion.kind !== 'words') return completion;
  return ofWords(completion.candidates.map(({ word, about }) => ({ word: `--${name}=${word}`, about })));
}

function spellings(flag: Flag): readonly Candidate[] {
  const about = flag.description;
  const alone = { word: `--${flag.name()}`, about };
  const withValue = { word: `--${flag.name()}=`, about };
  switch (flag.kind.type) {
    case 'boolean':
      return [alone];
    case 'value':
      return [withValue];
    case 'optional':
      return [alone, withValue];
    default:
      return flag.kind satisfies never;
  }
}

const HELP_COMMAND: Candidate = { word: 'help', about: 'print the help of a command' };
const HELP_FLAG: Candidate = { word: '--help', about: 'print this help' };

function listed(entries: readonly Entry[]): readonly Candidate[] {
  return entries
    .filter(({ hidden }) => hidden !== true)
    .map(({ name, summary }) => ({ word: name, about: summary }));
}

function ofWords(candidates: readonly Candidate[]): Completion {
  return { kind: 'words', candidates };
}
