/** What becomes of one call: by its arguments, if they count. */
import { compare, type Instruction, load, mask, returning } from './instructions.ts';
import type { Action, Condition } from './policy.ts';

export interface Clause {
  readonly conditions: readonly Condition[];
  readonly action: Action;
}

/** Of struct seccomp_data: six arguments of 64 bits, the low half first. */
const ARGUMENTS = 16;
const TWO_32 = 2 ** 32;

/** A filter compares 32 bits at a time: where a comparison goes on, or what it comes to. */
type Outcome = 'on' | 'holds' | 'fails';

interface Comparison {
  readonly how: 'equal' | 'more' | 'at-least';
  readonly value: number;
  readonly yes: Outcome;
  readonly no: Outcome;
}

/** One after the other; the last has no conditions. */
export function compileClauses(clauses: readonly Clause[]): Instruction[] {
  return clauses.flatMap(({ conditions, action }) => compileClause(conditions, action));
}

/** Where a condition fails, the next clause is what follows. */
function compileClause(conditions: readonly Condition[], action: Action): Instruction[] {
  const blocks = conditions.map((condition) => blockOf(condition));
  let rest = blocks.reduce((sum, block) => sum + block.length, 0) + 1;
  const tested = blocks.flatMap((block) => {
    const placed = block.map((line, index) => {
      if (!('how' in line)) return line;
      const leap = { on: 0, holds: block.length - index - 1, fails: rest - index - 1 };
      return compare(line.how, line.value, leap[line.yes], leap[line.no]);
    });
    rest -= block.length;
    return placed;
  });
  return [...tested, returning(action)];
}

/** The high half decides, unless it is equal. */
function blockOf({ argument, is, value, mask: bits }: Condition): (Instruction | Comparison)[] {
  const offset = ARGUMENTS + argument * 8;
  const high = halfOf(bits, (number) => Math.floor(number / TWO_32));
  const low = halfOf(bits, (number) => number % TWO_32);
  return [
    load(offset + 4),
    ...high,
    ...HIGH[is](Math.floor(value / TWO_32)),
    load(offset),
    ...low,
    LOW[is](value % TWO_32),
  ];
}

function halfOf(bits: number | undefined, half: (number: number) => number): Instruction[] {
  return bits === undefined ? [] : [mask(half(bits))];
}

const equal = (value: number, no: Outcome): Comparison => ({ how: 'equal', value, yes: 'on', no });
const more = (value: number, yes: Outcome): Comparison => ({ how: 'more', value, yes, no: 'on' });

const HIGH: Readonly<Record<Condition['is'], (value: number) => Comparison[]>> = {
  equal: (value) => [equal(value, 'fails')],
  unequal: (value) => [equal(value, 'holds')],
  more: (value) => [more(value, 'holds'), equal(value, 'fails')],
  'at-least': (value) => [more(value, 'holds'), equal(value, 'fails')],
  less: (value) => [more(value, 'fails'), equal(value, 'holds')],
  'at-most': (value) => [more(value, 'fails'), equal(value, 'holds')],
};

const LOW: Readonly<Record<Condition['is'], (value: number) => Comparison>> = {
  equal: (value) => ({ how: 'equal', value, yes: 'holds', no: 'fails' }),
  unequal: (value) => ({ how: 'equal', value, yes: 'fails', no: 'holds' }),
  more: (value) => ({ how: 'more', value, yes: 'holds', no: 'fails' }),
  'at-least': (value) => ({ how: 'at-least', value, yes: 'holds', no: 'fails' }),
  less: (value) => ({ how: 'at-least', value, yes: 'fails', no: 'holds' }),
  'at-most': (value) => ({ how: 'more', value, yes: 'fails', no: 'holds' }),
};
