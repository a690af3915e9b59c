import { describe, expect, test } from 'vitest';
import { parseIndex } from '../../../src/oci/document.ts';
import { formatPlatform, type Platform } from '../../../src/oci/platform.ts';
import { choosePlatform, requirePlatform } from '../../../src/oci/platform-choice.ts';
import { appcPlatform } from '../../../src/oci/platform-names.ts';
import { descriptor, indexOf, ociTypes, sha } from './document-examples.ts';

const platform = (text: string): Platform => {
  const [os = '', architecture = '', variant] = text.split('/');
  return variant === undefined ? { os, architecture } : { os, architecture, variant };
};

const indexFor = (...offered: readonly (string | undefined)[]) =>
  parseIndex({
    schemaVersion: 2,
    manifests: offered.map((text, index) =>
      descriptor(ociTypes.manifest, String(index), text === undefined ? {} : { platform: platform(text) }),
    ),
  });

describe('the platform of an index', () => {
  test.each<[string, readonly (string | undefined)[], number]>([
    ['linux/amd64', ['linux/arm64', 'linux/amd64'], 1],
    ['linux/amd64', ['windows/amd64', 'linux/amd64', 'linux/amd64'], 1],
    ['linux/amd64', ['linux/amd64/v3', 'linux/amd64'], 1],
    ['linux/amd64/v3', ['linux/amd64', 'linux/amd64/v2', 'linux/amd64/v4'], 1],
    ['linux/arm64', ['linux/arm64/v8'], 0],
    ['linux/arm64/v8', ['linux/arm64'], 0],
    ['linux/arm64/v9', ['linux/arm64/v8'], 0],
    ['linux/arm/v7', ['linux/arm/v5', 'linux/arm/v6', 'linux/arm/v8'], 1],
    ['linux/arm', ['linux/arm/v6', 'linux/arm/v7'], 1],
    ['linux/amd64', [undefined], 0],
    ['linux/amd64', ['linux/arm64', undefined], 1],
    ['linux/amd64', [undefined, 'linux/amd64'], 1],
    ['linux/riscv64', ['linux/riscv64'], 0],
  ])('%s of %j is number %d', (wanted, offered, chosen) => {
    expect(choosePlatform(indexFor(...offered), platform(wanted)).digest).toBe(sha(String(chosen)));
  });

  test.each<[string, readonly (string | undefined)[], string]>([
    [
      'linux/s390x',
      ['linux/amd64', 'linux/arm/v7'],
      'no image for linux/s390x, the index offers linux/amd64, linux/arm/v7',
    ],
    ['linux/arm/v6', ['linux/arm/v7'], 'no image for linux/arm/v6, the index offers linux/arm/v7'],
    ['linux/amd64', [undefined, undefined], 'no image for linux/amd64, the index offers an unnamed platform'],
    ['linux/amd64', ['unknown/unknown'], 'no image for linux/amd64, the index offers no images'],
    ['linux/amd64', [], 'no image for linux/amd64, the index offers no images'],
  ])('%s of %j: %s', (wanted, offered, message) => {
    expect(() => choosePlatform(indexFor(...offered), platform(wanted))).toThrow(message);
  });

  test('attestations, signatures and other artifacts are passed over', () => {
    const index = parseIndex({
      schemaVersion: 2,
      manifests: [
        descriptor(ociTypes.manifest, '1', { artifactType: 'application/signature' }),
        descriptor('application/vnd.other+json', '2'),
        descriptor(ociTypes.manifest, '3', { platform: { os: '', architecture: '' } }),
      ],
    });
    expect(choosePlatform(index, platform('linux/amd64')).digest).toBe(sha('3'));
  });

  test('may lead to a nested index', () => {
    const index = parseIndex({ schemaVersion: 2, manifests: [descriptor(ociTypes.index, '1')] });
    expect(choosePlatform(index, platform('linux/amd64')).mediaType).toBe(ociTypes.index);
  });

  test('a full index', () => {
    expect(choosePlatform(parseIndex(indexOf(ociTypes)), platform('linux/arm/v7')).digest).toBe(sha('c'));
  });
});

test.each(['a/b', 'a\0b', '\u001b[31m', ' ', '', 'x'.repeat(65)])('%j is no word of a platform', (os) => {
  const manifests = [descriptor(ociTypes.manifest, '1', { platform: { os, architecture: 'amd64' } })];
  expect(() => parseIndex({ schemaVersion: 2, manifests })).toThrow(/platform\.os: expected a word as in/);
});

test('of many platforms few are listed', () => {
  const offered = Array.from({ length: 10 }, (_, n) => `linux/arm/v${n + 20}`);
  expect(() => choosePlatform(indexFor(...offered), platform('linux/amd64'))).toThrow(/v27 and 2 more$/);
});

test('an image for another platform is refused by name', () => {
  expect(() => requirePlatform(platform('linux/arm64'), platform('linux/arm64/v8'))).not.toThrow();
  expect(() => requirePlatform(platform('linux/arm64'), platform('linux/amd64'))).toThrow(
    'the image is for linux/arm64, not for linux/amd64',
  );
});

describe('names in appc', () => {
  test.each([
    ['linux/amd64', 'amd64'],
    ['linux/amd64/v3', 'amd64'],
    ['linux/386', 'i386'],
    ['linux/arm64/v8', 'aarch64'],
    ['linux/arm', 'armv7l'],
    ['linux/arm/v6', 'armv6l'],
    ['darwin/amd64', 'x86_64'],
  ])('%s is %s', (text, arch) => {
    expect(appcPlatform(platform(text))).toEqual({ os: text.split('/')[0], arch });
  });

  test.each(['windows/amd64', 'linux/riscv64', 'linux/constructor'])('%s has none', (text) => {
    expect(() => appcPlatform(platform(text))).toThrow(`appc has no name for the platform ${text}`);
    expect(formatPlatform(platform(text))).toBe(text);
  });
});
