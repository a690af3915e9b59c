import { describe, expect, it } from 'vitest';
import { chooseRange } from '../../../src/stage0/private-users.ts';

const SIZE = 65536;
const ids = (first: number, count = SIZE) => ({ first, count });

describe('the ids of a pod', () => {
  const all = ids(1_000_000, 3 * SIZE + 100);

  it('are the lowest that no other has', () => {
    expect(chooseRange(all, [])).toEqual(ids(1_000_000));
    expect(chooseRange(all, [ids(1_000_000)])).toEqual(ids(1_000_000 + SIZE));
    expect(chooseRange(all, [ids(1_000_000 + SIZE), ids(1_000_000)])).toEqual(ids(1_000_000 + 2 * SIZE));
    expect(chooseRange(all, [ids(1_000_000 + SIZE)])).toEqual(ids(1_000_000));
  });

  it('keep away from ranges that an earlier configuration has given, however these lie', () => {
    expect(chooseRange(all, [ids(1_000_000 - 1)])).toEqual(ids(1_000_000 + SIZE));
    expect(chooseRange(all, [ids(1_000_000 + SIZE - 1, 2)])).toEqual(ids(1_000_000 + 2 * SIZE));
    expect(chooseRange(all, [ids(1_000_000 - SIZE)])).toEqual(ids(1_000_000));
  });

  it('are whole, or there are none', () => {
    const taken = [0, 1, 2].map((n) => ids(1_000_000 + n * SIZE));
    expect(() => chooseRange(all, taken)).toThrow(
      '--private-users: of the 196708 ids from 1000000 on pods have taken all ranges of 65536',
    );
  });
});
