import { expect, it } from 'vitest';
import { reportOf } from '../support/native-program.ts';

it('pieces of memory of all sizes are nobody else’s while they are used, and used again when they are not', async () => {
  const { spoiled, before, after } = (await reportOf('memory')) as Record<string, number>;
  expect(spoiled).toBe(0);
  // Forty times as much has been asked for since; what was free may be in smaller pieces than are wanted.
  expect(after).toBeLessThan((before ?? 0) * 1.5);
});
