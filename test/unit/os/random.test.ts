import { expect, it } from 'vitest';
import { randomOctets } from '../../../src/os/random.ts';

it('fills all that is asked for, each time anew', () => {
  const taken = Array.from({ length: 64 }, () => randomOctets(16));
  expect(new Set(taken.map((octets) => Buffer.from(octets).toString('hex'))).size).toBe(64);
  // Each place has been other than zero at least once.
  for (let place = 0; place < 16; place++) expect(taken.some((octets) => octets[place] !== 0)).toBe(true);
});
