import { describe, expect, test } from 'vitest';
import { digestAlgorithm, digestHex, imageIDOfConfig, parseDigest } from '../../../src/oci/digest.ts';
import { OciError } from '../../../src/oci/errors.ts';

describe('digests', () => {
  const sha256 = parseDigest(`sha256:${'ab'.repeat(32)}`);
  const sha512 = parseDigest(`sha512:${'cd'.repeat(64)}`);

  test('have an algorithm and hex digits', () => {
    expect([digestAlgorithm(sha256), digestHex(sha256)]).toEqual(['sha256', 'ab'.repeat(32)]);
    expect([digestAlgorithm(sha512), digestHex(sha512)]).toEqual(['sha512', 'cd'.repeat(64)]);
  });

  test("a configuration's digest is its image's id", () => {
    expect(imageIDOfConfig(sha256)).toBe(`sha256-${'ab'.repeat(32)}`);
    expect(imageIDOfConfig(sha512)).toBe(`sha512-${'cd'.repeat(64)}`);
  });

  test.each([
    '',
    'sha256:',
    `sha256:${'a'.repeat(63)}`,
    `sha256:${'A'.repeat(64)}`,
    `sha256-${'a'.repeat(64)}`,
    `sha512:${'a'.repeat(64)}`,
    `md5:${'a'.repeat(32)}`,
    `sha256:${'../'.repeat(21)}a`,
    `sha256:${'a'.repeat(64)}\n`,
  ])('%j is none', (text) => {
    expect(() => parseDigest(text)).toThrow(OciError);
  });
});
