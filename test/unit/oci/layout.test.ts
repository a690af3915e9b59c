import { describe, expect, test } from 'vitest';
import { parseDigest } from '../../../src/oci/digest.ts';
import { parseIndex } from '../../../src/oci/document.ts';
import { blobPath, entriesTagged, requireLayout, tagOf } from '../../../src/oci/layout.ts';
import { descriptor, ociTypes, sha } from './document-examples.ts';

const indexWith = (...tags: readonly (string | undefined)[]) =>
  parseIndex({
    schemaVersion: 2,
    manifests: tags.map((tag, index) =>
      descriptor(
        ociTypes.manifest,
        String(index),
        tag === undefined ? {} : { annotations: { 'org.opencontainers.image.ref.name': tag } },
      ),
    ),
  });

describe('the version of a layout', () => {
  test.each(['1.0.0', '1.1.0'])('%s is understood', (imageLayoutVersion) => {
    expect(() => requireLayout({ imageLayoutVersion })).not.toThrow();
  });

  test.each([
    [{ imageLayoutVersion: '2.0.0' }, 'imageLayoutVersion: version "2.0.0" is not understood, 1.x is'],
    [{}, 'imageLayoutVersion: is required'],
    [null, 'expected an object, got null'],
  ])('%j is not', (json, message) => {
    expect(() => requireLayout(json)).toThrow(message);
  });
});

test('a blob is found by its digest', () => {
  expect(blobPath(parseDigest(sha('a')))).toBe(`blobs/sha256/${'a'.repeat(64)}`);
});

describe('tags', () => {
  test.each<[readonly (string | undefined)[], string | undefined, readonly string[]]>([
    [['latest'], 'latest', ['0']],
    [['latest'], undefined, ['0']],
    [[undefined], undefined, ['0']],
    [['a', 'b'], 'b', ['1']],
    [['a', 'b', 'a'], 'a', ['0', '2']],
    [['a', 'a'], undefined, ['0', '1']],
  ])('of %j, %j stands for %j', (tags, tag, chosen) => {
    expect(entriesTagged(indexWith(...tags), tag).manifests.map(({ digest }) => digest)).toEqual(
      chosen.map(sha),
    );
  });

  test.each<[readonly (string | undefined)[], string | undefined, string]>([
    [[], undefined, 'the layout has no image'],
    [['a', 'b'], undefined, 'the layout has several images, name one of "a", "b"'],
    [['a', undefined], 'latest', 'no tag "latest" in the layout, it has "a", (one without a tag)'],
    [Array.from('abcdefghij'), 'x', ', "h" and 2 more'],
    [['\u0000\u009b31m\n'], 'x', 'it has "\\u0000\\u009b31m\\n"'],
  ])('of %j, %j: %s', (tags, tag, message) => {
    expect(() => entriesTagged(indexWith(...tags), tag)).toThrow(message);
  });

  test('are not inherited', () => {
    expect(indexWith(undefined).manifests.map(tagOf)).toEqual([undefined]);
  });
});
