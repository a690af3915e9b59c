/**
 * Spare machines: each has been restored from a template for a pod that is still to come, has been through the start of an app once, and stands still.
 * A process of its own keeps it, in `DATA/templates/SCOPE/.spares/KEY/SLOT`, slots counted from 0, until a pod takes it over or its
 * time is over (docs/templates.md).
 */
import { AbiError } from './json.ts';

/** In a scope's directory, beside its templates. */
export const SPARES = '.spares';

/**
 * Files of a spare. Whoever keeps it, or makes it ready, has an exclusive lock (flock) on `lock`; without that, the rest is what somebody has left who was
 * killed. `socket` is there when it is ready; `id` has the uid of its QEMU. Where `failure` is nobody keeps one: it says why none could be made, and none is
 * tried until `gc` has taken it away.
 */
export const SPARE = {
  lock: 'lock',
  socket: 'socket',
  scratch: 'scratch',
  root: 'root',
  id: 'id',
  failure: 'failure',
} as const;

/** How many there are to be of each template that pods start from, and how many seconds one waits. Not set: none. */
export const SPARES_ENV = 'RKT_SPARES';

export const MOST_SPARES = 16;
export const SPARE_SECONDS = 600;
export const MOST_SPARE_SECONDS = 7 * 24 * 3600;

export interface SparesKept {
  readonly count: number;
  readonly seconds: number;
}

/** `COUNT:SECONDS` */
export function formatSpares({ count, seconds }: SparesKept): string {
  return `${count}:${seconds}`;
}

/** Inverse of `formatSpares`; of nothing: none. @throws AbiError `bad-arguments` */
export function parseSpares(text: string | undefined): SparesKept {
  if (text === undefined || text === '') return { count: 0, seconds: SPARE_SECONDS };
  const [, count, seconds] = /^(\d{1,2}):(\d{1,6})$/.exec(text) ?? [];
  const kept = { count: Number(count), seconds: Number(seconds) };
  if (kept.count <= MOST_SPARES && kept.seconds >= 1 && kept.seconds <= MOST_SPARE_SECONDS) return kept;
  throw new AbiError('bad-arguments', `${SPARES_ENV} is COUNT:SECONDS, not ${JSON.stringify(text)}`);
}
