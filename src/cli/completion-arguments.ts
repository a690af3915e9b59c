import type { FlagValues } from './app-arguments.ts';
import { type Flag, readFlag } from './flag.ts';

/** The arguments before the cursor, read as their command would read them. */
export interface ReadArguments {
  readonly flags: FlagValues;
  /** Those that are there already. */
  readonly operands: readonly string[];
  /** The flag whose value the word at the cursor is. */
  readonly pending?: Flag;
  /** Behind `--`, or where another program's arguments are: no word is a flag there. */
  readonly afterDashes: boolean;
}

/**
 * Reads as far as there is something to read; nothing is refused, since the line is not finished. `endAtOperand`: behind the
 * first operand is another program's command line.
 */
export function readArguments(
  known: readonly Flag[],
  args: readonly string[],
  endAtOperand = false,
): ReadArguments {
  const flags = new Map<string, string[]>();
  const operands: string[] = [];
  let afterDashes = false;
  for (let rest = args; rest.length > 0; ) {
    const [first = ''] = rest;
    const pending = afterDashes || rest.length > 1 ? undefined : awaitingValue(known, first);
    if (pending !== undefined) return { flags, operands, pending, afterDashes };
    const use = afterDashes ? undefined : readFlag(known, rest);
    if (use !== undefined) {
      const name = use.flag.name();
      flags.set(name, [...(flags.get(name) ?? []), use.value]);
    } else if (first === '--') afterDashes = true;
    else if (first === '---') afterDashes = false;
    else if (afterDashes || !first.startsWith('-')) {
      operands.push(first);
      afterDashes ||= endAtOperand;
    }
    rest = rest.slice(use?.length ?? 1);
  }
  return { flags, operands, afterDashes };
}

/** The flag that a word is, if its value is yet to follow. */
export function awaitingValue(flags: readonly Flag[], word: string | undefined): Flag | undefined {
  return flags.find((flag) => flag.kind.type === 'value' && word === `--${flag.name()}`);
}

/**
 * The words in capitals of a usage line, which stand for operands: the one at a position; where the line ends in `...` the
 * last one stands for all that follow.
 */
export function operandAt(usage: string, position: number): string | undefined {
  const operands = usage.replaceAll(/\[(?:[A-Z]+ )?FLAGS\]|\[-- .*?\[---\]\]|\[?--\S+/g, '');
  const nouns = operands.match(/[A-Z]{2,}/g) ?? [];
  return nouns[position] ?? (operands.includes('...') ? nouns.at(-1) : undefined);
}
