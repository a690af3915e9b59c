import { expect, it } from 'vitest';
import { reportOf } from '../support/native-program.ts';

it('a compiled program has things done beside it, and hears what comes of them', async () => {
  expect(await reportOf('beside')).toEqual({
    first: true,
    second: 300_000,
    failed: 'failed',
    here: 'untouched',
    zombies: 'none',
    left: 0,
    endsWithItsParent: true,
    withoutProcesses: { kind: 'exited', code: 0 },
  });
});
