import { describe, expect, test } from 'vitest';
import {
  appNameOf,
  parseACIdentifier,
  parseACName,
  sanitizeACIdentifier,
  sanitizeACName,
} from '../../../src/appc/names.ts';

describe('AC names', () => {
  test.each(['a', '0', 'database', 'reduce-worker', 'a-1-b'])('%j is one', (text) => {
    expect(parseACName(text)).toBe(text);
  });

  test.each(['', 'A', 'a--b', '-a', 'a-', 'a.b', 'a/b', 'a b', 'ä', 'a\n', '../a', 'a'.repeat(256)])(
    '%j is none',
    (text) => {
      expect(() => parseACName(text)).toThrow(/^expected an AC name/);
    },
  );
});

describe('AC identifiers', () => {
  test.each(['a', 'example.com/reduce-worker', 'resource/memory', 'a~b_c.d-e/f'])('%j is one', (text) => {
    expect(parseACIdentifier(text)).toBe(text);
  });

  test.each(['', '/a', 'a/', 'a//b', 'a/../b', 'a:b', 'EXAMPLE.com', 'a\n'])('%j is none', (text) => {
    expect(() => parseACIdentifier(text)).toThrow(/^expected an AC identifier/);
  });

  test('a long one is refused in time that grows with its length only', () => {
    expect(() => parseACIdentifier(`${'a-'.repeat(500_000)}!`)).toThrow(/expected/);
  });
});

describe('sanitizing', () => {
  test.each([
    ['Foo_Bar', 'foo-bar'],
    ['volume/var/lib', 'volume-var-lib'],
    ['80/tcp', '80-tcp'],
    ['--a--', 'a'],
    ['a/.hidden', 'a-hidden'],
    [`${'a'.repeat(254)}-b`, 'a'.repeat(254)],
  ])('%j becomes the AC name %j', (text, name) => {
    expect(sanitizeACName(text)).toBe(name);
  });

  test.each([
    ['registry-1.docker.io/library/busybox', 'registry-1.docker.io/library/busybox'],
    ['localhost:5000/App', 'localhost_5000/app'],
    ['/a//b/', 'a/b'],
    ['a__b', 'a_b'],
  ])('%j becomes the AC identifier %j', (text, name) => {
    expect(sanitizeACIdentifier(text)).toBe(name);
  });

  test('a text without a valid character is refused by name', () => {
    expect(() => sanitizeACName('//')).toThrow('no valid character in "//" to make a name of');
  });

  test('whatever goes in, what comes out is a name', () => {
    for (let code = 0; code < 1000; code++) {
      const text = `a${String.fromCharCode(code, (code * 7) % 256, (code * 31) % 256)}z`;
      expect(parseACName(sanitizeACName(text))).toBeTruthy();
      expect(parseACIdentifier(sanitizeACIdentifier(text))).toBeTruthy();
    }
  });

  test.each([
    ['example.com/reduce-worker', 'reduce-worker'],
    ['busybox', 'busybox'],
    ['a/b_c.d', 'b-c-d'],
  ])('the app of %j is %j', (image, app) => {
    expect(appNameOf(parseACIdentifier(image))).toBe(app);
  });
});
