import { describe, expect, test } from 'vitest';
import { parseImageID } from '../../../src/appc/image-id.ts';
import { parsePodUUID, podUUIDFromOctets } from '../../../src/appc/uuid.ts';

describe('image ids', () => {
  test.each([`sha512-${'a'.repeat(64)}`, `sha512-${'0'.repeat(128)}`, `sha256-${'9'.repeat(64)}`])(
    '%j is one',
    (text) => {
      expect(parseImageID(text)).toBe(text);
    },
  );

  test.each([
    'sha512-',
    `sha512-${'a'.repeat(63)}`,
    `sha512-${'A'.repeat(64)}`,
    `sha256-${'a'.repeat(128)}`,
    `md5-${'a'.repeat(64)}`,
    `sha512:${'a'.repeat(64)}`,
    `sha512-${'a'.repeat(64)}\n`,
    `sha512-${'../'.repeat(21)}a`,
  ])('%j is none', (text) => {
    expect(() => parseImageID(text)).toThrow(/expected an image id/);
  });
});

describe('pod UUIDs', () => {
  const canonical = '6733c088-a507-4694-aabf-eff1d71b5c13';

  test('are read in either case and kept in lower case', () => {
    expect(parsePodUUID(canonical.toUpperCase())).toBe(canonical);
  });

  test.each([
    '',
    canonical.slice(1),
    canonical.replaceAll('-', ''),
    `{${canonical}}`,
    `${canonical}\n`,
    '../../../../../../../../../../../etc',
  ])('%j is none', (text) => {
    expect(() => parsePodUUID(text)).toThrow(/expected a pod UUID/);
  });

  test('made of octets say that they are random (version 4, RFC 4122 variant)', () => {
    expect(podUUIDFromOctets(new Uint8Array(16))).toBe('00000000-0000-4000-8000-000000000000');
    expect(podUUIDFromOctets(new Uint8Array(16).fill(255))).toBe('ffffffff-ffff-4fff-bfff-ffffffffffff');
  });
});
