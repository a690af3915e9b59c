import {
  appendFileSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ImageError } from '../../../src/image/error.ts';
import { ByteSource, feedOf, TarReader } from '../../../src/image/tar/index.ts';
import { Canary } from '../../support/fuzz/canary.ts';
import { Dice } from '../../support/fuzz/dice.ts';
import { messageProblem } from '../../support/fuzz/error-message.ts';
import { mutateHeader } from '../../support/fuzz/header-mutation.ts';
import { imageInput } from '../../support/fuzz/image-input.ts';
import { mutateJson } from '../../support/fuzz/json-mutation.ts';
import { formatTree, jsonTree, placesIn } from '../../support/fuzz/json-tree.ts';
import { lowerItems, seedItems } from '../../support/fuzz/tar-seeds.ts';
import * as tar from '../../support/tar-archive.ts';

let base = '';
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'rkt-fuzz-test-'));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const AROUND = { outside: '/nonexistent/outside', token: 'escaped' };

test('a case is the same again, and another one for another number or seed', () => {
  const contentOf = (seed: number, index: number): string => {
    const directory = mkdtempSync(join(base, 'case-'));
    imageInput(new Dice(seed, index), AROUND).place({ directory, serve: () => 'HOST' });
    const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((file) =>
      file.isFile(),
    );
    return files.map((file) => readFileSync(join(file.parentPath, file.name), 'latin1')).join('');
  };
  const first = Array.from({ length: 30 }, (_, index) => contentOf(1, index));
  expect(first).toEqual(Array.from({ length: 30 }, (_, index) => contentOf(1, index)));
  expect(new Set([...first, contentOf(2, 0)]).size).toBe(31);
});

test('what is mutated is valid before', async () => {
  for (let index = 0; index < 200; index++) {
    const items = [...lowerItems('/outside'), ...seedItems(new Dice(3, index), 'rootfs/', true)];
    const stream = tar.chunks(tar.archive(...items), 4096);
    const reader = new TarReader(new ByteSource(feedOf(stream)), { endMarker: 'required' });
    let entries = 0;
    for await (const _ of reader.entries()) entries += 1;
    expect(entries).toBeGreaterThan(10);
  }
});

test('a mutated header mostly has a checksum that is right, and differs', () => {
  const item = tar.file('name', 'content');
  let right = 0;
  let changed = 0;
  for (let index = 0; index < 500; index++) {
    const mutated = mutateHeader(item, new Dice(4, index));
    const block = mutated.subarray(0, 512);
    if (tar.withChecksum(Buffer.from(block)).equals(block)) right += 1;
    if (!mutated.equals(item)) changed += 1;
  }
  expect([right > 450, right < 500, changed > 450]).toEqual([true, true, true]);
});

describe('a JSON tree', () => {
  const document = { a: [1, { b: null }], 'c"d': 'text', e: {} };

  test('is written as it was', () => {
    expect(formatTree(jsonTree(document))).toBe(JSON.stringify(document));
  });

  test('can say a thing twice, leave it out, or say another', () => {
    const written = (act: (places: ReturnType<typeof placesIn>) => void) => {
      const tree = jsonTree({ a: 1, b: [2] });
      act(placesIn(tree));
      return formatTree(tree);
    };
    const text = { kind: 'text', text: '1e999' } as const;
    expect(written(([a]) => a?.double(text))).toBe('{"a":1e999,"a":1,"b":[2]}');
    expect(written(([a]) => a?.remove())).toBe('{"b":[2]}');
    expect(written(([, b]) => b?.replace(text))).toBe('{"a":1,"b":1e999}');
    expect(written(([, , item]) => item?.double(text))).toBe('{"a":1,"b":[1e999,2]}');
  });

  test('is mutated to documents of which most are still JSON', () => {
    const texts = Array.from({ length: 300 }, (_, index) => mutateJson(document, new Dice(5, index)));
    const isJson = (text: string) => {
      try {
        JSON.parse(text);
        return true;
      } catch {
        return false;
      }
    };
    expect(texts.filter(isJson).length).toBeGreaterThan(200);
    expect(texts.filter((text) => text !== JSON.stringify(document)).length).toBeGreaterThan(280);
  });
});

describe('a canary notices', () => {
  test.each<[string, (outside: string, token: string) => void]>([
    ['a file that grows', (outside) => appendFileSync(join(outside, 'secret'), 'x')],
    [
      'a file with the same content written again',
      (outside) => writeFileSync(join(outside, 'secret'), 'other!'),
    ],
    ['another name for it', (outside) => linkSync(join(outside, 'secret'), join(base, 'input/link'))],
    ['another time', (outside) => utimesSync(join(outside, 'directory'), 1, 1)],
    ['a new file', (outside, token) => writeFileSync(join(outside, 'directory/deep', token), '')],
    ['a new link beside it', () => symlinkSync('x', join(base, 'stray'))],
    ['a name in a parent', (_, token) => writeFileSync(join(base, '..', token), '')],
  ])('%s', (_, touch) => {
    mkdirSync(join(base, 'input'));
    const canary = new Canary(base);
    expect(canary.touched(['input'])).toBeUndefined();
    try {
      touch(canary.outside, canary.token);
      expect(canary.touched(['input'])).toBeTypeOf('string');
    } finally {
      rmSync(join(base, '..', canary.token), { force: true });
    }
  });
});

test.each([
  [undefined, undefined],
  [new ImageError('bad-image', 'entry "x" is odd'), undefined],
  [new TypeError('x is not a function'), /not one of our errors/],
  ['text', /not an error/],
  [new ImageError('bad-image', 'line\nbreak'), /control characters/],
  [new ImageError('bad-image', '\u009b31m'), /control characters/],
  [new ImageError('system', "EROFS: read-only file system, openat '/x'"), /wrote to where nobody may/],
  [new ImageError('bad-image', 'x'.repeat(3000)), /of 3000 characters/],
])('%s as a refusal: %s', (error, problem) => {
  if (problem === undefined) expect(messageProblem(error)).toBeUndefined();
  else expect(messageProblem(error)).toMatch(problem);
});
