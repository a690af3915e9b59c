/** Consecutive uids of the host, and the gids of the same numbers. */
import { AbiError } from './json.ts';

export interface IdRange {
  readonly first: number;
  readonly count: number;
}

/** The kernel calls the one above it none. */
export const HIGHEST_ID = 4294967294;
const TEXT = /^([1-9]\d{0,9}):([1-9]\d{0,9})$/;

/** Whether they have an id in common. */
export function overlap(one: IdRange, other: IdRange): boolean {
  return one.first < other.first + other.count && other.first < one.first + one.count;
}

/** `FIRST:COUNT`, as rkt's `--private-users` of a stage1. */
export function formatIdRange({ first, count }: IdRange): string {
  return `${first}:${count}`;
}

/** Inverse of `formatIdRange`. @throws AbiError `bad-arguments` that begins with `what` */
export function parseIdRange(text: string, what: string): IdRange {
  const [, first = 0, count = 0] = (TEXT.exec(text) ?? []).map(Number);
  if (count < 1 || first + count - 1 > HIGHEST_ID)
    throw new AbiError('bad-arguments', `${what} is FIRST:COUNT, not ${JSON.stringify(text)}`);
  return { first, count };
}
