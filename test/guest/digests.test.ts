import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { reportOf } from '../support/native-program.ts';

it('digests are the same in a pod’s programs, whose engine writes large numbers in a way of its own', async () => {
  const texts = Array.from({ length: 64 }, (_, index) => `text ${index}`);
  expect(await reportOf('digests')).toEqual(
    texts.map((text) => createHash('sha512').update(text).digest('hex')),
  );
});
