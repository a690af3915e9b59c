import { expect, test } from 'vitest';
import { isFresh, isStrong, noteOf } from '../../../../src/image/remote-aci/cache-note.ts';

const NOW = 1_000_000;

test.each([
  [undefined, undefined],
  ['max-age=60', 60],
  ['public, Max-Age=60', 60],
  ['max-age="60"', 60],
  ['max-age = 60 ,public', 60],
  ['max-age=0', 0],
  ['max-age=99999999999999999999', 2 ** 31],
  ['max-age', undefined],
  ['max-age=', undefined],
  ['max-age=-1', undefined],
  ['max-age=1.5', undefined],
  ['s-maxage=60', undefined],
  ['max-age=60, no-store', undefined],
  ['No-Cache, max-age=60', undefined],
  ['private="max-age=60"', undefined],
])('Cache-Control: %s holds for %s seconds', (header, maxAge) => {
  const headers = header === undefined ? {} : { 'cache-control': header };
  const expected = maxAge === undefined ? { fetchedAt: NOW } : { maxAge, fetchedAt: NOW };
  expect(noteOf({ headers }, NOW)).toEqual(expected);
});

test.each([
  ['40', 20],
  ['60', 0],
  ['100', 0],
  ['soon', 60],
])('a cache on the way that had it for %s seconds leaves %s of 60', (age, maxAge) => {
  expect(noteOf({ headers: { 'cache-control': 'max-age=60', age } }, NOW).maxAge).toBe(maxAge);
});

test.each([
  ['"abc"', '"abc"'],
  ['W/"abc"', 'W/"abc"'],
  ['""', '""'],
  ['abc', undefined],
  ['"a"b"', undefined],
  ['"a b"', undefined],
  ['"ä"', undefined],
  [`"${'a'.repeat(513)}"`, undefined],
])('an ETag of %s is kept as %s', (etag, kept) => {
  expect(noteOf({ headers: { etag } }, NOW).etag).toBe(kept);
});

test('an answer without an ETag is about what was asked for', () => {
  expect(noteOf({ headers: {} }, NOW, '"a"').etag).toBe('"a"');
  expect(noteOf({ headers: { etag: '"b"' } }, NOW, '"a"').etag).toBe('"b"');
});

test.each([
  [{ maxAge: 60, fetchedAt: NOW }, true],
  [{ maxAge: 60, fetchedAt: NOW - 59_999 }, true],
  [{ maxAge: 60, fetchedAt: NOW - 60_000 }, false],
  [{ maxAge: 0, fetchedAt: NOW }, false],
  [{ fetchedAt: NOW }, false],
  [{ maxAge: 60, fetchedAt: NOW + 1 }, false],
])('%j is fresh: %s', (note, expected) => {
  expect(isFresh(note, NOW)).toBe(expected);
});

test.each([
  ['"a"', true],
  ['W/"a"', false],
  [undefined, false],
])('%s is strong: %s', (etag, expected) => {
  expect(isStrong(etag)).toBe(expected);
});
