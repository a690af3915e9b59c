import { describe, expect, it } from 'vitest';
import {
  nextFree,
  parseRange,
  parseRangeSet,
  type RangeSet,
  rangeWith,
} from '../../../cni-plugins/ipam/ranges.ts';
import { FieldReader } from '../../../src/abi/json.ts';
import { formatIp, parseIp } from '../../../src/native/netlink/ip.ts';

const range = (value: object) => parseRange(new FieldReader(value, 'range'));
const set = (...values: object[]): RangeSet => parseRangeSet(values.map(range));

describe('a range', () => {
  it.each([
    [{ subnet: '10.1.2.0/24' }, '10.1.2.1', '10.1.2.254', '10.1.2.1'],
    [{ subnet: '10.1.2.0/30' }, '10.1.2.1', '10.1.2.2', '10.1.2.1'],
    [{ subnet: 'fd00::/126' }, 'fd00::1', 'fd00::3', 'fd00::1'],
    [
      { subnet: '10.1.2.0/24', rangeStart: '10.1.2.9', rangeEnd: '10.1.2.20', gateway: '10.9.9.9' },
      '10.1.2.9',
      '10.1.2.20',
      '10.9.9.9',
    ],
  ])('%j', (value, first, last, gateway) => {
    const parsed = range(value);
    expect([parsed.first, parsed.last, parsed.gateway].map(formatIp)).toEqual([first, last, gateway]);
  });

  it.each([
    [{ subnet: '10.1.2.0/31' }, 'too small'],
    [{ subnet: '10.1.2.5/24' }, '10.1.2.0/24 would be'],
    [{ subnet: '10.1.2.0/24', rangeEnd: '10.1.3.1' }, 'is not in'],
    [{ subnet: '10.1.2.0/24', rangeStart: 'fd00::1' }, 'is not in'],
    [{ subnet: '10.1.2.0/24', rangeStart: '10.1.2.9', rangeEnd: '10.1.2.8' }, 'ends before it begins'],
    [{ subnet: '10.1.2.0/24', gateway: 'fd00::1' }, 'another family'],
    [{}, 'range.subnet'],
  ])('%j is refused', (value, message) => {
    expect(() => range(value)).toThrow(message);
  });

  it('is not empty, of one family, and apart from others of its set', () => {
    expect(() => set()).toThrow('empty');
    expect(() => set({ subnet: '10.1.2.0/24' }, { subnet: 'fd00::/64' })).toThrow('both families');
    expect(() => set({ subnet: '10.1.2.0/24' }, { subnet: '10.1.0.0/16' })).toThrow('overlap');
  });
});

describe('the next address', () => {
  const two = set(
    { subnet: '10.1.2.0/29' },
    { subnet: '10.1.3.0/29', rangeStart: '10.1.3.2', rangeEnd: '10.1.3.3' },
  );
  const following = (last: string | undefined, ...taken: string[]) => {
    const found = nextFree(
      two,
      last === undefined ? undefined : parseIp(last),
      (ip) => !taken.includes(formatIp(ip)),
    );
    return found && formatIp(found.ip);
  };

  it.each([
    [undefined, [], '10.1.2.2'],
    ['10.1.2.2', [], '10.1.2.3'],
    ['10.1.2.2', ['10.1.2.3'], '10.1.2.4'],
    ['10.1.2.6', [], '10.1.3.2'],
    ['10.1.3.3', [], '10.1.2.2'],
    ['192.0.2.1', [], '10.1.2.2'],
    ['fd00::1', [], '10.1.2.2'],
  ])('after %s, with %j taken, is %s', (last, taken, expected) => {
    expect(following(last, ...taken)).toBe(expected);
  });

  it('is none when all are taken, and found when one before the last is left', () => {
    const all = ['10.1.2.2', '10.1.2.3', '10.1.2.4', '10.1.2.5', '10.1.2.6', '10.1.3.2', '10.1.3.3'];
    expect(following('10.1.2.4', ...all)).toBeUndefined();
    expect(following('10.1.2.4', ...all.filter((ip) => ip !== '10.1.2.4'))).toBe('10.1.2.4');
    expect(following('10.1.3.2', ...all.filter((ip) => ip !== '10.1.2.3'))).toBe('10.1.2.3');
  });

  it('ends at the end of all addresses', () => {
    const top = set({ subnet: 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffc/126' });
    expect(nextFree(top, undefined, () => false)).toBeUndefined();
  });
});

it('an address is of a range', () => {
  const both = set({ subnet: '10.1.2.0/24' }, { subnet: '10.1.3.0/24' });
  expect(rangeWith(both, parseIp('10.1.3.7'))).toBe(both[1]);
  expect([rangeWith(both, parseIp('10.1.4.7')), rangeWith(both, parseIp('fd00::'))]).toEqual([
    undefined,
    undefined,
  ]);
});
