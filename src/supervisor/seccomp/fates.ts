/** What becomes of one call: by its arguments, if they count. */
import type { Assembly, Place } from './assembly.ts';
import type { Action, Condition } from './policy.ts';

/** Where its conditions hold, an action; else what follows. The last has no conditions. */
export interface Fate {
  /** All of them. */
  readonly conditions: readonly Condition[];
  readonly action: Action;
  readonly else: Fate | undefined;
}

/** Of struct seccomp_data: six arguments of 64 bits, the low half first. */
const ARGUMENTS = 16;
const TWO_32 = 2 ** 32;

export function always(action: Action): Fate {
  return { conditions: [], action, else: undefined };
}

export function writeFate(program: Assembly, fate: Fate): Place {
  const steps: Fate[] = [];
  for (let step: Fate | undefined = fate; step !== undefined; step = step.else) steps.push(step);
  let next: Place = 0;
  for (const { conditions, action } of steps.reverse()) {
    const fails = next;
    next = program.return(action);
    for (const condition of conditions) next = writeCondition(program, condition, next, fails);
  }
  return next;
}

/** A filter compares 32 bits at a time: the high half decides, unless it is equal. */
function writeCondition(program: Assembly, condition: Condition, holds: Place, fails: Place): Place {
  const { argument, is, value, mask } = condition;
  const [high, low] = [Math.floor(value / TWO_32), value % TWO_32];
  const offset = ARGUMENTS + argument * 8;
  const lowBits = mask === undefined ? undefined : mask % TWO_32;
  const highBits = mask === undefined ? undefined : Math.floor(mask / TWO_32);
  const compared = LOW[is](program, low, holds, fails);
  const equal = program.load(offset, lowBits, compared);
  return program.load(offset + 4, highBits, HIGH[is](program, high, { holds, fails, equal }));
}

type Low = (program: Assembly, value: number, holds: Place, fails: Place) => Place;

const LOW: Readonly<Record<Condition['is'], Low>> = {
  equal: (program, value, holds, fails) => program.compare('equal', value, holds, fails),
  unequal: (program, value, holds, fails) => program.compare('equal', value, fails, holds),
  more: (program, value, holds, fails) => program.compare('more', value, holds, fails),
  'at-most': (program, value, holds, fails) => program.compare('more', value, fails, holds),
  'at-least': (program, value, holds, fails) => program.compare('at-least', value, holds, fails),
  less: (program, value, holds, fails) => program.compare('at-least', value, fails, holds),
};

interface Outcomes {
  readonly holds: Place;
  readonly fails: Place;
  readonly equal: Place;
}

type High = (program: Assembly, value: number, outcomes: Outcomes) => Place;

const greater: High = (program, value, { holds, fails, equal }) =>
  program.compare('more', value, holds, program.compare('equal', value, equal, fails));
const smaller: High = (program, value, { holds, fails, equal }) =>
  program.compare('more', value, fails, program.compare('equal', value, equal, holds));

const HIGH: Readonly<Record<Condition['is'], High>> = {
  equal: (program, value, { fails, equal }) => program.compare('equal', value, equal, fails),
  unequal: (program, value, { holds, equal }) => program.compare('equal', value, equal, holds),
  more: greater,
  'at-least': greater,
  less: smaller,
  'at-most': smaller,
};
