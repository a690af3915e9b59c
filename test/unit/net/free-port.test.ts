import { describe, expect, test } from 'vitest';
import { chooseFreePort } from '../../../src/net/free-port.ts';

const tcp = (count = 1) => ({ protocol: 'tcp', count }) as const;
const taken = (hostPort: number, count = 1) => ({ ...tcp(count), hostPort });
const EPHEMERAL = { first: 32_768, last: 60_999 };
const CHOICES = 65_535 - 10_000 + 1;

describe('the free port that is chosen', () => {
  test.each([
    ['begins where it is told to', tcp(), [], 5, 10_005],
    ['goes round', tcp(), [], CHOICES + 7, 10_007],
    ['is not one that is taken', tcp(), [taken(10_000), taken(10_001, 3)], 0, 10_004],
    ['is of its protocol', { protocol: 'udp', count: 1 } as const, [taken(10_000)], 0, 10_000],
    ['begins a row that is free', tcp(5), [taken(10_004), taken(10_010)], 0, 10_005],
    ['is none that the kernel gives away', tcp(), [], 32_768 - 10_000, 61_000],
    ['has none of those in its row', tcp(10), [], 32_760 - 10_000, 61_000],
    ['is one of those when there is no other', tcp(), [taken(1, 32_767), taken(61_000, 4_536)], 0, 32_768],
  ])('%s', (_, wanted, others, start, expected) => {
    expect(chooseFreePort(wanted, others, EPHEMERAL, start)).toBe(expected);
  });

  test('is none where all are taken, or the row is too long', () => {
    expect(chooseFreePort(tcp(), [taken(1, 65_535)], EPHEMERAL, 3)).toBeUndefined();
    expect(
      chooseFreePort(tcp(4096), [taken(40_000), taken(37_000), taken(10_000, 26_000)], EPHEMERAL, 3),
    ).toBe(61_000);
    expect(chooseFreePort(tcp(60_000), [], EPHEMERAL, 3)).toBeUndefined();
  });
});
