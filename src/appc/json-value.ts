import { arrayOf, type Cursor, expected, fields, type Json } from './json.ts';

/** Any JSON value as it stands. Objects lose their prototype, so that `__proto__` is a member like any other. */
export function readJson(at: Cursor): Json {
  const value = at.value;
  if (
    value === null ||
    typeof value === 'string' ||
    typeof value === 'number' ||
    typeof value === 'boolean'
  ) {
    return value;
  }
  if (Array.isArray(value)) return arrayOf(readJson)(at);
  if (typeof value !== 'object') throw expected(at, 'a JSON value');
  const members = fields(at);
  const copy: Record<string, Json> = Object.create(null);
  for (const key of Object.keys(value)) copy[key] = members.optional(key, readJson) ?? null;
  return copy;
}

type WithoutUndefined<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** Leaves out the members that are undefined, so that optional members are absent rather than undefined. */
export function withoutUndefined<T extends object>(object: T): WithoutUndefined<T> {
  const entries = Object.entries(object).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as WithoutUndefined<T>;
}

/** For members that a manifest leaves out when they are empty. */
export function unlessEmpty<T extends readonly unknown[] | object>(value: T): T | undefined {
  return Object.keys(value).length === 0 ? undefined : value;
}

/** The map with its keys in order, as Go writes maps; left out when empty. */
export function sortedMap(map: Readonly<Record<string, string>>): Record<string, string> | undefined {
  const keys = Object.keys(map).sort();
  return keys.length === 0 ? undefined : Object.fromEntries(keys.map((key) => [key, map[key] ?? '']));
}
