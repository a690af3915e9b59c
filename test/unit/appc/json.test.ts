import { describe, expect, test } from 'vitest';
import { refuse } from '../../../src/appc/errors.ts';
import { fields, quote, string, stringMap } from '../../../src/appc/json.ts';
import { documentCursor, parseJsonText } from '../../../src/appc/json-document.ts';
import { readJson } from '../../../src/appc/json-value.ts';

const cursor = (value: unknown) => documentCursor(value, refuse);

describe('reading members', () => {
  test('inherited members are not members', () => {
    for (const key of ['constructor', 'toString', '__proto__']) {
      expect(fields(cursor({})).optional(key, string)).toBeUndefined();
    }
  });

  test('null stands for absent, as in Go', () => {
    expect(fields(cursor({ a: null })).optional('a', string)).toBeUndefined();
    expect(fields(cursor({ a: null })).list('a', string)).toEqual([]);
    expect(() => fields(cursor({ a: null })).required('a', string)).toThrow('a: is required');
  });

  test.each([
    [{ a: { b: [1, 'x', 7] } }, 'a.b[0]: expected a string, got 1'],
    [{ a: { b: 'x' } }, 'a.b: expected an array, got "x"'],
    [{ a: [] }, 'a: expected an object, got []'],
  ])('%j is refused with its path', (value, message) => {
    const read = () => fields(cursor(value)).required('a', (a) => fields(a).list('b', string));
    expect(read).toThrow(message);
  });

  test('a strange key is quoted in the path', () => {
    expect(() => stringMap(cursor({ 'a b': 1 }))).toThrow('["a b"]: expected a string, got 1');
  });
});

describe('hostile keys', () => {
  const text = '{"__proto__": "x", "constructor": "y"}';

  test('are members of a map like any other, and of no prototype', () => {
    const map = stringMap(cursor(JSON.parse(text)));
    expect(Object.keys(map)).toEqual(['__proto__', 'constructor']);
    expect(Reflect.get(map, 'toString')).toBeUndefined();
    expect(Object.getPrototypeOf({})).toBe(Object.prototype);
    expect(JSON.stringify(map)).toBe(JSON.stringify(JSON.parse(text)));
  });

  test('survive in values that are kept as they are', () => {
    const value = JSON.parse('{"__proto__": {"a": [1, null, {"b": false}]}}');
    expect(JSON.stringify(readJson(cursor(value)))).toBe(JSON.stringify(value));
  });
});

describe('limits', () => {
  const limits = { characters: 100, depth: 3, values: 10 };

  test('text that is not JSON', () => {
    expect(() => parseJsonText('{', refuse)).toThrow(/^not JSON: /);
    expect(() => parseJsonText('{"a\n\u009b31m', refuse)).toThrow(/^not JSON: [ -~]*$/);
  });

  test('too much text', () => {
    expect(() => parseJsonText(' '.repeat(101), refuse, limits)).toThrow(
      '101 characters, at most 100 are allowed',
    );
  });

  test('too deep', () => {
    expect(() => documentCursor([[[1]]], refuse, limits)).not.toThrow();
    expect(() => documentCursor([[[[1]]]], refuse, limits)).toThrow('nested deeper than 3 levels');
  });

  test('deep enough to exhaust a recursive reader', () => {
    const value: unknown = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`);
    expect(() => cursor(value)).toThrow(/nested deeper/);
  });

  test('too many values', () => {
    expect(() => documentCursor(new Array(10).fill(0), refuse, limits)).toThrow('more than 10 values');
  });

  test.each([
    ['0', 1],
    ['[]', 1],
    ['[ ]', 1],
    ['{ "a" : [ 1 , { } , [[]] ] }', 6],
    ['["a,[b]", "\\"[", "\\\\", "{"]', 5],
    ['{"[": {}, "b\\\\": [{}, 1.5, null]}', 6],
  ])('of %s are counted before it is parsed: %i', (text, values) => {
    const counting = (most: number) => () => parseJsonText(text, refuse, { ...limits, values: most });
    expect(counting(values)()).toEqual(JSON.parse(text));
    expect(() => documentCursor(JSON.parse(text), refuse, { ...limits, depth: 9, values })).not.toThrow();
    if (values > 1) expect(counting(values - 1)).toThrow(`more than ${values - 1} values`);
  });

  test('what would be too many values is not parsed, JSON or not', () => {
    expect(() => parseJsonText('[,,,,,,,,,,', refuse, limits)).toThrow('more than 10 values');
    expect(() => parseJsonText('"[,,,,,,,,,,', refuse, limits)).toThrow(/^not JSON/);
  });
});

test('a long value is shortened in messages', () => {
  expect(quote('x'.repeat(1000))).toHaveLength(80);
  expect(quote(undefined)).toBe('undefined');
});
