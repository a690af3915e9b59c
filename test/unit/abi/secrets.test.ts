import { expect, test } from 'vitest';
import { formatSecrets, parseSecrets } from '../../../src/abi/secrets.ts';

test('secrets come back', () => {
  const secrets = new Map([
    ['word', 'aGVsbG8='],
    ['app.other', ''],
  ]);
  expect(parseSecrets(formatSecrets(secrets))).toEqual(secrets);
});

test.each(['hidden', '{"secrets":[{"key":"a","content":5}]}', '{"secrets":"hidden"}', ''])(
  'what is wrong with %j is not told: it may be a secret',
  (text) => {
    expect(() => parseSecrets(text)).toThrow(/^secrets cannot be read$/);
  },
);
