import { createHash, createHmac, randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { hmacSha512, sha512 } from '../../../metadata-service/sha512.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const LENGTHS = [0, 1, 3, 55, 110, 111, 112, 113, 127, 128, 129, 239, 240, 256, 1000, 4096];

test('is the SHA-512 of others, at every length that padding makes a difference for', () => {
  for (const length of LENGTHS) {
    const bytes = randomBytes(length);
    expect(hex(sha512(bytes)), `${length} bytes`).toBe(createHash('sha512').update(bytes).digest('hex'));
  }
});

test('takes a message in parts', () => {
  const [a, b, c] = [randomBytes(100), randomBytes(200), randomBytes(0)];
  expect(hex(sha512(a, b, c))).toBe(hex(sha512(Buffer.concat([a, b, c]))));
});

test('makes the HMAC of others, with keys shorter, as long as, and longer than a block', () => {
  for (const length of [0, 16, 64, 127, 128, 129, 300]) {
    const [key, message] = [randomBytes(length), randomBytes(333)];
    expect(hex(hmacSha512(key, message)), `a key of ${length} bytes`).toBe(
      createHmac('sha512', key).update(message).digest('hex'),
    );
  }
});
