/**
 * From a policy to the kernel's own language: classic BPF over struct seccomp_data (<linux/filter.h>, <linux/seccomp.h>). Pure.
 *
 * The way in is looked at first, since a number means something else by another. Calls are then found by halving: some nine
 * comparisons, where a list of them would take hundreds, at every call that an app makes.
 */
import { Packer } from '../../native/bytes.ts';
import { ARCHITECTURES, type Architecture, callsOf } from './architectures.ts';
import { type Clause, compileClauses } from './clauses.ts';
import { compare, type Instruction, jump, load, returning } from './instructions.ts';
import { type Action, allows, ENOSYS, type Policy, type Rule, refuseWith } from './policy.ts';

/** Offsets in struct seccomp_data. */
const NUMBER = 0;
const ARCHITECTURE = 4;
/** BPF_MAXINSNS. */
const LONGEST = 4096;

/** From a number on, up to the next range. */
interface Range {
  readonly from: number;
  readonly clauses: readonly Clause[];
}

/** An array of struct sock_filter. Throws RangeError when the kernel would not take it for its length. */
export function compileFilter(policy: Policy): Uint8Array {
  const instructions: Instruction[] = [
    load(ARCHITECTURE),
    ...policy.architectures.flatMap((architecture) => {
      const calls = [load(NUMBER), ...search(rangesOf(policy, architecture))];
      return [compare('equal', ARCHITECTURES[architecture].audit, 1, 0), jump(calls.length), ...calls];
    }),
    returning(policy.foreign),
  ];
  if (instructions.length > LONGEST)
    throw new RangeError(`${instructions.length} instructions, and the kernel takes at most ${LONGEST}`);
  const out = new Packer(instructions.length * 8);
  for (const { code, yes, no, value } of instructions) out.u16(code).u8(yes).u8(no).u32(value);
  return out.finish();
}

/** What becomes of each number, the first range from 0 on; neighbours of one fate are one range. */
function rangesOf(policy: Policy, architecture: Architecture): Range[] {
  const { end } = callsOf(architecture);
  const otherwise: readonly Clause[] = [{ conditions: [], action: policy.otherwise }];
  const fates = fatesOf(policy, architecture);
  const ranges: Range[] = [];
  const add = (from: number, clauses: readonly Clause[]) => {
    const last = ranges.at(-1);
    if (last === undefined || !isSame(last.clauses, clauses)) ranges.push({ from, clauses });
  };
  for (let number = 0; number < end; number++) add(number, fates.get(number) ?? otherwise);
  add(end, [{ conditions: [], action: beyond(policy.otherwise) }]);
  const ways = ARCHITECTURES[architecture].end;
  if (ways <= 0xffffffff) add(ways, [{ conditions: [], action: policy.foreign }]);
  return ranges;
}

/**
 * Of calls that came to the kernel after the table was made: to programs it has none of them. They ask for them to find out, and
 * have another way; a list made before could not name them.
 */
function beyond(otherwise: Action): Action {
  return allows(otherwise) ? otherwise : refuseWith(ENOSYS);
}

/** By number, what its rules say, up to the first that always holds. */
function fatesOf({ rules, otherwise }: Policy, architecture: Architecture): Map<number, readonly Clause[]> {
  const { numbers } = callsOf(architecture);
  const fates = new Map<number, readonly Clause[]>();
  const always = (action: Action): readonly Clause[] => [{ conditions: [], action }];
  const last = always(otherwise);
  // From the last to the first: each comes before what follows it, and one that always holds replaces it.
  for (const rule of rules.toReversed()) {
    const { conditions, action } = rule;
    const sole = conditions.length === 0 ? always(action) : undefined;
    for (const number of numbersOf(rule, numbers))
      fates.set(number, sole ?? [{ conditions, action }, ...(fates.get(number) ?? last)]);
  }
  return fates;
}

function numbersOf({ names }: Rule, numbers: ReadonlyMap<string, number>): number[] {
  return names.flatMap((name) => numbers.get(name) ?? []);
}

function isSame(one: readonly Clause[], other: readonly Clause[]): boolean {
  if (one === other) return true;
  return one.length === 1 && other.length === 1 && one[0]?.action === other[0]?.action;
}

/** Finds the range of a number, and does what it says. Every way through it ends in a return. */
function search(ranges: readonly Range[]): Instruction[] {
  const [only] = ranges;
  if (only !== undefined && ranges.length === 1) return compileClauses(only.clauses);
  const middle = ranges.length >> 1;
  const below = search(ranges.slice(0, middle));
  const above = search(ranges.slice(middle));
  const from = ranges[middle]?.from ?? 0;
  // A comparison leaps over 255 instructions at most.
  const fork =
    below.length <= 255
      ? [compare('at-least', from, below.length, 0)]
      : [compare('at-least', from, 0, 1), jump(below.length)];
  return [...fork, ...below, ...above];
}
