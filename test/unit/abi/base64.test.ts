import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { decodeBase64 } from '../../../src/abi/base64.ts';

test.each([0, 1, 2, 3, 4, 31, 32, 255])('%i bytes come back', (length) => {
  const bytes = randomBytes(length);
  expect(Buffer.from(decodeBase64(bytes.toString('base64')))).toEqual(bytes);
});

test('what is no base64 is refused', () => {
  expect(() => decodeBase64('ab*d')).toThrow("'*' is no base64");
});
