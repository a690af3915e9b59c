import type { StartStep } from '../src/abi/guest.ts';
import { hasCode } from '../src/native/errors.ts';
import { InitError, messageOf } from './error.ts';
import { sayUnset } from './gate.ts';

/** What a kernel answers that lacks something, or to who lacks a privilege; a mistake in the plan it answers in other ways. */
const LACKING = ['EPERM', 'EACCES', 'ENOENT', 'ENODEV', 'EOPNOTSUPP', 'ENOSYS', 'EROFS'];

/** A group of v1 may not have more than those above it, whose limits hold anyway; a kernel may not know what is attached to one. */
const MORE: ReadonlyMap<StartStep, readonly string[]> = new Map([['limits', ['EINVAL']]]);

/** Sets a limit, or says `what` could not be set. */
export type Trial = (step: StartStep, what: string, action: () => void) => void;

/** Where it is `strict`, no app rather than one without a limit. */
export function trialOf(gate: number, strict: boolean): Trial {
  return (step, what, action) => {
    try {
      action();
    } catch (cause) {
      const message = `${what} could not be set: ${messageOf(cause)}`;
      const isLack = cause instanceof InitError || hasCode(cause, ...LACKING, ...(MORE.get(step) ?? []));
      if (strict || !isLack) throw new InitError(step, message, { cause });
      sayUnset(gate, message);
    }
  };
}
