/** What each process of an app may have, as the isolator `coreos.com/rkt/rlimits` says it: `{"nofile": {"soft": 1024, "hard": "unlimited"}}`. */
import { RLIMIT_NAMES, type Rlimit, type Rlimits, type RlimitValue } from './isolator.ts';
import { type Cursor, fields, integer, oneOf } from './json.ts';

export function readRlimits(at: Cursor): Rlimits {
  const members = fields(at);
  const names = Object.keys(Object(at.value));
  const unknown = names.find((name) => !RLIMIT_NAMES.some((known) => known === name));
  if (unknown !== undefined)
    throw at.refuse(
      'invalid-value',
      at.path,
      `${JSON.stringify(unknown)} is not one of ${RLIMIT_NAMES.join(', ')}`,
    );
  return Object.fromEntries(
    RLIMIT_NAMES.flatMap((name) => {
      const limit = members.optional(name, readRlimit);
      return limit === undefined ? [] : [[name, limit]];
    }),
  );
}

function readRlimit(at: Cursor): Rlimit {
  const members = fields(at);
  const soft = members.required('soft', readValue);
  const hard = members.required('hard', readValue);
  if (amount(soft) > amount(hard))
    throw at.refuse('invalid-value', at.path, `the soft limit ${soft} is more than the hard one, ${hard}`);
  return { soft, hard };
}

const readCount = integer(0, Number.MAX_SAFE_INTEGER);
const readWord = oneOf('unlimited');

function readValue(at: Cursor): RlimitValue {
  return typeof at.value === 'string' ? readWord(at) : readCount(at);
}

function amount(value: RlimitValue): number {
  return value === 'unlimited' ? Number.POSITIVE_INFINITY : value;
}
