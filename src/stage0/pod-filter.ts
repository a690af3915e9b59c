import type { AppRecord, PodRecord } from '../pod/record.ts';
import { STATES } from '../pod/state.ts';
import { Stage0Error } from './errors.ts';

export type PodFilter = (pod: PodRecord) => boolean;

/** What `--filter=KEY=VALUE` may ask of a pod; of its apps one is enough. */
const QUESTIONS: Readonly<Record<string, (pod: PodRecord, value: string) => boolean>> = {
  state: ({ state }, value) => state === value,
  name: ({ podName }, value) => podName === value,
  app: ({ apps }, value) => apps.some(({ name }) => name === value),
  image: ({ apps }, value) => apps.some((app) => isOfImage(app, value)),
  label: (pod, value) => [pod, ...pod.apps].some(({ userLabels }) => hasLabel(userLabels ?? {}, value)),
};

export const FILTER_KEYS: readonly string[] = Object.keys(QUESTIONS);

/** What the values of a key may be, where that is known beforehand. */
export const FILTER_VALUES: Readonly<Record<string, readonly string[]>> = { state: STATES };

/** The key of a filter and its value. Throws Stage0Error `bad-request` where the key is none of these. */
export function parseFilter(text: string, keys: readonly string[]): { key: string; value: string } {
  const [, key = '', value = ''] = /^([^=]*)=(.*)$/s.exec(text) ?? [];
  if (keys.includes(key) && value !== '') return { key, value };
  throw new Stage0Error(
    'bad-request',
    `--filter: ${JSON.stringify(text)} is not KEY=VALUE with a key of ${keys.join(', ')}`,
  );
}

/**
 * Reads filters: a pod passes that has, for every key, one of the values that are given for it. Throws Stage0Error `bad-request`.
 */
export function parsePodFilter(texts: readonly string[]): PodFilter {
  const wanted = new Map<string, string[]>();
  for (const text of texts) {
    const { key, value } = parseFilter(text, FILTER_KEYS);
    wanted.set(key, [...(wanted.get(key) ?? []), value]);
  }
  return (pod) =>
    [...wanted].every(([key, values]) => values.some((value) => QUESTIONS[key]?.(pod, value) ?? false));
}

/** By its name with or without the version, or by its id or the beginning of one, as long as the command line takes it for one. */
function isOfImage({ imageName = '', imageId }: AppRecord, value: string): boolean {
  if (/^sha(512|256)-[0-9a-f]{2,}$/.test(value)) return imageId.startsWith(value);
  return imageName === value || imageName.startsWith(`${value}:`);
}

/** `KEY`, or `KEY=VALUE`. */
function hasLabel(labels: Readonly<Record<string, string>>, text: string): boolean {
  const at = text.indexOf('=');
  if (at === -1) return Object.hasOwn(labels, text);
  const key = text.slice(0, at);
  return Object.hasOwn(labels, key) && labels[key] === text.slice(at + 1);
}
