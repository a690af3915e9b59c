import type { BigIntStats } from 'node:fs';
import type { Timestamp } from '../tar/index.ts';

const SECOND = 1_000_000_000n;

/** When a file was changed last. */
export function timeOf({ mtimeNs }: BigIntStats): Timestamp {
  const nanoseconds = ((mtimeNs % SECOND) + SECOND) % SECOND;
  return { seconds: Number((mtimeNs - nanoseconds) / SECOND), nanoseconds: Number(nanoseconds) };
}
