import { type Command, InvalidArgumentError, Option } from 'commander';

/**
 * A long flag as Go's pflag reads it, which rkt's users write: `--flag=value`; a value may also be the next
 * argument, except where the flag makes sense without one. A boolean takes `=false` too.
 */
export class Flag extends Option {
  readonly kind: FlagKind;

  constructor(name: string, kind: FlagKind, description: string) {
    super(`--${name} ${kind.type === 'value' ? `<${kind.placeholder}>` : '[value]'}`, description);
    this.kind = kind;
    // To pflag `--no-overlay` is a flag of that name; to commander it would be the opposite of `--overlay`.
    this.negate = false;
    this.flags = shown(name, kind);
    if (kind.type === 'boolean') this.argParser(parseBoolean);
    if (kind.type !== 'boolean' && kind.repeated === true)
      this.argParser((value: string, previous: readonly string[] | undefined) => [
        ...(previous ?? []),
        value,
      ]);
  }
}

/** A flag without a value that has a letter, too: `-f`. */
export function withLetter(letter: string, flag: Flag): Flag {
  flag.short = `-${letter}`;
  flag.flags = `-${letter}, ${flag.flags}`;
  return flag;
}

/** What may stand before the `=` in a value, and the few things that may be behind it; of any other there are none. */
export type Keys = Readonly<Record<string, readonly string[]>>;

export type FlagKind =
  | { readonly type: 'boolean' }
  | {
      readonly type: 'value';
      readonly placeholder: string;
      readonly repeated?: true;
      /** All that the value, or a part of it between commas, may be: what a shell proposes. */
      readonly choices?: readonly string[];
      readonly keys?: Keys;
    }
  /** `--net` is `--net=default`. */
  | {
      readonly type: 'optional';
      readonly placeholder: string;
      readonly without: string;
      readonly repeated?: true;
    };

export const boolean = { type: 'boolean' } as const;
export const value = (placeholder: string) => ({ type: 'value', placeholder }) as const;
export const choice = (placeholder: string, choices: readonly string[]) =>
  ({ type: 'value', placeholder, choices }) as const;
export const values = (placeholder: string) => ({ type: 'value', placeholder, repeated: true }) as const;
/** Values of `KEY=VALUE`. */
export const keyed = (placeholder: string, keys: readonly string[], known: Keys = {}) =>
  ({
    ...values(placeholder),
    keys: Object.fromEntries(keys.map((key) => [key, known[key] ?? []])),
  }) as const;
export const optional = (placeholder: string, without: string) =>
  ({ type: 'optional', placeholder, without }) as const;

export const optionals = (placeholder: string, without: string) =>
  ({ type: 'optional', placeholder, without, repeated: true }) as const;

/** A flag in a command line, with its value, and how many arguments it takes up. */
export interface FlagUse {
  readonly flag: Flag;
  readonly value: string;
  readonly length: 1 | 2;
}

/** Reads the flag at the start of `args`; undefined when that is no flag, or none of these. Throws InvalidArgumentError. */
export function readFlag(flags: readonly Flag[], args: readonly string[]): FlagUse | undefined {
  const [first = '', second] = args;
  const short = flags.find((candidate) => candidate.short === first);
  if (short !== undefined) return { flag: short, value: 'true', length: 1 };
  const match = /^--([A-Za-z0-9][^=]*)(?:=([\s\S]*))?$/.exec(first);
  const flag = flags.find((candidate) => candidate.name() === match?.[1]);
  if (flag === undefined) return undefined;
  const given = match?.[2];
  if (given !== undefined) return { flag, value: given, length: 1 };
  switch (flag.kind.type) {
    case 'boolean':
      return { flag, value: 'true', length: 1 };
    case 'optional':
      return { flag, value: flag.kind.without, length: 1 };
    case 'value':
      if (second === undefined) throw new InvalidArgumentError(`flag needs an argument: --${flag.name()}`);
      return { flag, value: second, length: 2 };
    default:
      return flag.kind satisfies never;
  }
}

/**
 * Rewrites arguments so that commander reads them as pflag would: each flag as `--flag=value`, up to `--`, or to the first
 * operand where flags end there.
 */
export function normalize(command: Command, args: readonly string[], endAtOperand = false): string[] {
  const flags = command.options.filter((option) => option instanceof Flag);
  const normal: string[] = [];
  let rest = args;
  while (rest.length > 0 && !endsFlags(rest[0] ?? '', endAtOperand)) {
    const use = readFlag(flags, rest);
    normal.push(use === undefined ? (rest[0] ?? '') : `--${use.flag.name()}=${use.value}`);
    rest = rest.slice(use?.length ?? 1);
  }
  return [...normal, ...rest];
}

function endsFlags(word: string, endAtOperand: boolean): boolean {
  return word === '--' || (endAtOperand && !word.startsWith('-'));
}

const TRUE = ['1', 't', 'T', 'TRUE', 'true', 'True'];
const FALSE = ['0', 'f', 'F', 'FALSE', 'false', 'False'];

/** As Go's strconv.ParseBool. Throws InvalidArgumentError. */
export function parseBoolean(text: string): boolean {
  if (TRUE.includes(text)) return true;
  if (FALSE.includes(text)) return false;
  throw new InvalidArgumentError(`expected true or false, got ${JSON.stringify(text)}`);
}

function shown(name: string, kind: FlagKind): string {
  switch (kind.type) {
    case 'boolean':
      return `--${name}`;
    case 'value':
      return `--${name}=${kind.placeholder}`;
    case 'optional':
      return `--${name}[=${kind.placeholder}]`;
    default:
      return kind satisfies never;
  }
}
