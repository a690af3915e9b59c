import { existsSync } from 'node:fs';
import { ensurePodsDirectory, podsDirectory } from '../pod/directory.ts';
import { Stage0Error } from './errors.ts';
import type { Host } from './host.ts';
import { EVENT_TYPES, type PodEvent } from './pod-event.ts';
import { FILTER_KEYS, FILTER_VALUES, parseFilter, parsePodFilter } from './pod-filter.ts';
import { PodWatch } from './pod-watch.ts';

export type { PodEvent } from './pod-event.ts';

export type EventFilter = (event: PodEvent) => boolean;

export const EVENT_FILTER_KEYS: readonly string[] = [...FILTER_KEYS, 'event'];
export const EVENT_FILTER_VALUES = { ...FILTER_VALUES, event: EVENT_TYPES };

/** As `parsePodFilter`, of the pod as it is then; `event=TYPE` beside it. Throws Stage0Error `bad-request`. */
export function parseEventFilter(texts: readonly string[]): EventFilter {
  const isOfEvent = (text: string) => parseFilter(text, EVENT_FILTER_KEYS).key === 'event';
  const types = texts.filter(isOfEvent).map(eventType);
  const ofPods = texts.filter((text) => !isOfEvent(text));
  const isWanted = parsePodFilter(ofPods);
  return ({ type, pod }) =>
    (types.length === 0 || types.includes(type)) &&
    (ofPods.length === 0 || (pod !== undefined && isWanted(pod)));
}

function eventType(text: string): string {
  const { value } = parseFilter(text, EVENT_FILTER_KEYS);
  if (EVENT_TYPES.some((type) => type === value)) return value;
  throw new Stage0Error(
    'bad-request',
    `--filter: ${JSON.stringify(value)} is no event: expected one of ${EVENT_TYPES.join(', ')}`,
  );
}

/**
 * Reports what happens to the pods of a host, until the signal aborts. `blind` is called where the kernel has no watches left for
 * this user: then what comes and goes between two looks may be missed.
 */
export async function events(
  host: Host,
  { report, blind }: { readonly report: (event: PodEvent) => void; readonly blind: () => void },
  signal: AbortSignal,
): Promise<void> {
  const pods = podsDirectory(host.dataDirectory);
  // Only root may make it; others have to wait for the first pod.
  if (process.geteuid?.() === 0 && !existsSync(pods)) ensurePodsDirectory(host.dataDirectory);
  await new Promise<void>((resolve, reject) => {
    const watching = new PodWatch(pods, report, end);
    if (watching.isBlind && existsSync(pods)) blind();
    function end(error?: unknown): void {
      watching[Symbol.dispose]();
      if (error === undefined) resolve();
      else reject(error);
    }
    signal.addEventListener('abort', () => end(), { once: true });
  });
}
