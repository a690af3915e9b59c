import { quotation } from './quotation.ts';

/**
 * Reading JSON that somebody else wrote. Every value is read at a cursor that knows its path, so that each
 * refusal names the place. Who reads decides the error class, by `Refuse`.
 *
 * As Go's encoding/json does: unknown members are ignored and null stands for absent. Member names match
 * exactly here; Go also matches them without regard to case, which would let one document mean two things.
 */
export type JsonProblem =
  | 'not-json'
  | 'too-large'
  | 'invalid-type'
  | 'invalid-value'
  | 'missing'
  | 'duplicate';

export type Refuse = (code: JsonProblem, path: string, problem: string, cause?: unknown) => Error;

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export type StringMap = Readonly<Record<string, string>>;

export interface Cursor {
  readonly value: unknown;
  readonly path: string;
  readonly refuse: Refuse;
}

export type Reader<T> = (at: Cursor) => T;

/** A set of strings with a name for messages; `is` is the only way into the branded type. */
export interface Grammar<T extends string> {
  readonly noun: string;
  readonly is: (text: string) => text is T;
}

export interface Fields {
  required<T>(key: string, read: Reader<T>): T;
  optional<T>(key: string, read: Reader<T>): T | undefined;
  /** Absent is empty. */
  list<T>(key: string, read: Reader<T>): readonly T[];
  /** Absent is empty. */
  map(key: string): StringMap;
}

/** Checks that the value is an object and gives its own members, never inherited ones (`__proto__`). */
export function fields(at: Cursor): Fields {
  const object = at.value;
  if (typeof object !== 'object' || object === null || Array.isArray(object)) throw expected(at, 'an object');
  const member = (key: string): Cursor | undefined => {
    const value: unknown = Object.getOwnPropertyDescriptor(object, key)?.value;
    return value === undefined || value === null ? undefined : { ...at, value, path: join(at.path, key) };
  };
  const optional = <T>(key: string, read: Reader<T>): T | undefined => {
    const found = member(key);
    return found && read(found);
  };
  return {
    optional,
    required: (key, read) => {
      const found = member(key);
      if (!found) throw at.refuse('missing', join(at.path, key), 'is required');
      return read(found);
    },
    list: (key, read) => optional(key, arrayOf(read)) ?? [],
    map: (key) => optional(key, stringMap) ?? emptyMap(),
  };
}

export function arrayOf<T>(read: Reader<T>): Reader<readonly T[]> {
  return (at) => {
    if (!Array.isArray(at.value)) throw expected(at, 'an array');
    return Array.from(at.value, (value: unknown, index) =>
      read({ ...at, value, path: `${at.path}[${index}]` }),
    );
  };
}

export function string(at: Cursor): string {
  if (typeof at.value !== 'string') throw expected(at, 'a string');
  return at.value;
}

export function nonEmptyString(at: Cursor): string {
  const text = string(at);
  if (text === '') throw at.refuse('invalid-value', at.path, 'must not be empty');
  return text;
}

/** A string that can be handed to the kernel, which ends strings at their first zero byte. */
export function kernelString(at: Cursor): string {
  const text = string(at);
  if (text.includes('\0')) throw expected(at, 'a string without zero bytes', 'invalid-value');
  return text;
}

export function boolean(at: Cursor): boolean {
  if (typeof at.value !== 'boolean') throw expected(at, 'true or false');
  return at.value;
}

export function integer(min: number, max: number): Reader<number> {
  return (at) => {
    const number = at.value;
    if (typeof number !== 'number' || !Number.isSafeInteger(number) || number < min || number > max) {
      throw expected(at, `an integer from ${min} to ${max}`);
    }
    return number;
  };
}

export function word<T extends string>(grammar: Grammar<T>): Reader<T> {
  return (at) => {
    const text = string(at);
    if (!grammar.is(text)) throw expected(at, grammar.noun, 'invalid-value');
    return text;
  };
}

export function oneOf<const T extends string>(...words: readonly T[]): Reader<T> {
  return (at) => {
    const found = words.find((candidate) => candidate === at.value);
    if (found === undefined) throw expected(at, `one of ${words.join(', ')}`, 'invalid-value');
    return found;
  };
}

/** An object of strings, without a prototype: `__proto__` and `constructor` are keys like any other. */
export function stringMap(at: Cursor): StringMap {
  const members = fields(at);
  const map: Record<string, string> = emptyMap();
  for (const key of Object.keys(Object(at.value))) map[key] = members.optional(key, string) ?? '';
  return map;
}

function emptyMap(): Record<string, string> {
  return Object.create(null);
}

/** Refuses the second of two elements with one key. `what` names the key: `app name`. */
export function unique<T>(at: Cursor, list: readonly T[], keyOf: (item: T) => string, what: string): void {
  const seen = new Map<string, number>();
  list.forEach((item, index) => {
    const key = keyOf(item);
    const first = seen.get(key);
    if (first !== undefined) {
      throw at.refuse(
        'duplicate',
        `${at.path}[${index}]`,
        `${what} ${quote(key)} is already used by [${first}]`,
      );
    }
    seen.set(key, index);
  });
}

export function expected(at: Cursor, noun: string, code: JsonProblem = 'invalid-type'): Error {
  return at.refuse(code, at.path, `expected ${noun}, got ${quote(at.value)}`);
}

/** A value as it may stand in an error message: JSON, shortened. */
export function quote(value: unknown): string {
  const text = quotation(value);
  return text.length <= 80 ? text : `${text.slice(0, 77)}...`;
}

function join(path: string, key: string): string {
  if (!/^[A-Za-z_][A-Za-z0-9_-]*$/.test(key)) return `${path}[${quote(key)}]`;
  return path === '' ? key : `${path}.${key}`;
}
