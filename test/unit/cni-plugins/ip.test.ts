import { describe, expect, it } from 'vitest';
import {
  compare,
  contains,
  formatCidr,
  isNetwork,
  lastOf,
  networkOf,
  next,
  parseAddress,
  parseCidr,
  previous,
} from '../../../cni-plugins/ip.ts';
import { formatIp, parseIp } from '../../../src/native/netlink/ip.ts';

describe('addresses with a prefix', () => {
  it.each([
    ['10.1.2.3/24', '10.1.2.0', '10.1.2.255'],
    ['10.1.2.3/23', '10.1.2.0', '10.1.3.255'],
    ['10.1.2.3/32', '10.1.2.3', '10.1.2.3'],
    ['10.1.2.3/0', '0.0.0.0', '255.255.255.255'],
    ['fd00::1234/64', 'fd00::', 'fd00::ffff:ffff:ffff:ffff'],
    ['fd00::1234/113', 'fd00::', 'fd00::7fff'],
  ])('%s is of the network %s to %s', (text, first, last) => {
    const cidr = parseCidr(text);
    expect([networkOf(cidr), lastOf(cidr)].map(formatIp)).toEqual([first, last]);
    expect(formatCidr(cidr)).toBe(text);
  });

  it.each([
    '',
    '10.1.2.3',
    '10.1.2.3/',
    '10.1.2.3/33',
    'fd00::/129',
    '10.1.2/24',
    '/24',
    '10.1.2.3/2/4',
    '10.1.2.3/-1',
  ])('%j is none', (text) => {
    expect(() => parseCidr(text)).toThrow();
  });

  it('may be given where an address is wanted', () => {
    expect([parseAddress('10.1.2.3/24'), parseAddress('10.1.2.3')].map(formatIp)).toEqual([
      '10.1.2.3',
      '10.1.2.3',
    ]);
  });
});

it('addresses follow each other', () => {
  const after = (text: string) => formatIp(next(parseIp(text)));
  const before = (text: string) => formatIp(previous(parseIp(text)));
  expect([after('10.0.0.255'), after('255.255.255.255'), after('fd00::ffff')]).toEqual([
    '10.0.1.0',
    '0.0.0.0',
    'fd00::1:0',
  ]);
  expect([before('10.0.1.0'), before('0.0.0.0'), before('fd00::1:0')]).toEqual([
    '10.0.0.255',
    '255.255.255.255',
    'fd00::ffff',
  ]);
  expect(compare(parseIp('10.0.0.9'), parseIp('10.0.0.10'))).toBeLessThan(0);
  expect(compare(parseIp('10.0.1.0'), parseIp('10.0.0.255'))).toBeGreaterThan(0);
  expect(compare(parseIp('10.0.1.0'), parseIp('10.0.1.0'))).toBe(0);
});

it('a network holds addresses of its own family', () => {
  const network = parseCidr('10.1.2.0/24');
  expect(['10.1.2.255', '10.1.3.0', 'fd00::'].map((text) => contains(network, parseIp(text)))).toEqual([
    true,
    false,
    false,
  ]);
  expect([isNetwork(network), isNetwork(parseCidr('10.1.2.1/24'))]).toEqual([true, false]);
});
