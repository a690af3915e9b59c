/**
 * From a policy to the kernel's own language: classic BPF over struct seccomp_data (<linux/filter.h>, <linux/seccomp.h>). Pure.
 *
 * The way in is looked at first, since a number means something else by another. Calls are then found by halving: some nine
 * comparisons, where a list of them would take hundreds, at every call that an app makes.
 */
import { ARCHITECTURES, type Architecture, callsOf } from './architectures.ts';
import { Assembly, type Place } from './assembly.ts';
import { always, type Fate, writeFate } from './fates.ts';
import { type Action, allows, ENOSYS, type Policy, type Rule, refuseWith } from './policy.ts';

/** Offsets in struct seccomp_data. */
const NUMBER = 0;
const ARCHITECTURE = 4;

/** From a number on, up to the next range. */
interface Range {
  readonly from: number;
  readonly fate: Fate;
}

/** An array of struct sock_filter. Throws SupervisorError `unsupported` when the kernel would not take it for its length. */
export function compileFilter(policy: Policy): Uint8Array {
  const program = new Assembly();
  const sections = policy.architectures.map((architecture) => ({
    audit: ARCHITECTURES[architecture].audit,
    calls: program.load(NUMBER, undefined, writeSearch(program, rangesOf(policy, architecture))),
  }));
  let next = program.return(policy.foreign);
  // The last becomes the first that is asked for: this machine's own.
  for (const { audit, calls } of sections.reverse()) next = program.compare('equal', audit, calls, next);
  program.load(ARCHITECTURE, undefined, next);
  return program.finish();
}

/** What becomes of each number, the first range from 0 on; neighbours of one fate are one range. */
function rangesOf(policy: Policy, architecture: Architecture): Range[] {
  const { end } = callsOf(architecture);
  const otherwise = always(policy.otherwise);
  const fates = fatesOf(policy.rules, otherwise, callsOf(architecture).numbers);
  const ranges: Range[] = [];
  const add = (from: number, fate: Fate) => {
    const last = ranges.at(-1);
    if (last === undefined || !isSame(last.fate, fate)) ranges.push({ from, fate });
  };
  for (let number = 0; number < end; number++) add(number, fates.get(number) ?? otherwise);
  add(end, always(beyond(policy.otherwise)));
  const ways = ARCHITECTURES[architecture].end;
  if (ways <= 0xffffffff) add(ways, always(policy.foreign));
  return ranges;
}

/**
 * Of calls that came to the kernel after the table was made: to programs it has none of them. They ask for them to find out, and
 * have another way; a list made before could not name them.
 */
function beyond(otherwise: Action): Action {
  return allows(otherwise) ? otherwise : refuseWith(ENOSYS);
}

/** By number, what the rules say, up to the first that always holds. */
function fatesOf(rules: readonly Rule[], otherwise: Fate, numbers: ReadonlyMap<string, number>) {
  const fates = new Map<number, Fate>();
  // From the last to the first: each comes before what follows it, and one that always holds replaces it.
  for (const { names, conditions, action } of rules.toReversed()) {
    const sole = conditions.length === 0 ? always(action) : undefined;
    for (const name of names) {
      const number = numbers.get(name);
      if (number === undefined) continue;
      fates.set(number, sole ?? { conditions, action, else: fates.get(number) ?? otherwise });
    }
  }
  return fates;
}

function isSame(one: Fate, other: Fate): boolean {
  if (one === other) return true;
  return one.else === undefined && other.else === undefined && one.action === other.action;
}

/** Finds the range of a number, and does what it says. */
function writeSearch(program: Assembly, ranges: readonly Range[]): Place {
  const [only] = ranges;
  if (only !== undefined && ranges.length === 1) return writeFate(program, only.fate);
  const middle = ranges.length >> 1;
  const above = writeSearch(program, ranges.slice(middle));
  const below = writeSearch(program, ranges.slice(0, middle));
  return program.compare('at-least', ranges[middle]?.from ?? 0, above, below);
}
