import { describe, expect, it } from 'vitest';
import { AF_INET, AF_INET6 } from '../../../src/native/netlink/ip.ts';
import { occupiedBy, reachesOthersByV6 } from '../../../stage1-kvm/host-routes.ts';

const route = (text: string, more: { readonly link?: number; readonly type?: 'local' } = {}) => {
  const [address = '', length] = text.split('/');
  return {
    ...({ type: 'unicast', link: 2, ...more } as const),
    family: address.includes(':') ? AF_INET6 : AF_INET,
    destination: Number(length) === 0 ? undefined : { address, length: Number(length) },
  };
};

describe('occupiedBy', () => {
  it('is what IPv4 leads to, but for default routes, whole and in halves', () => {
    const texts = ['0.0.0.0/0', '0.0.0.0/1', '128.0.0.0/1', '10.0.0.0/8', '192.0.2.1/32', 'fd00::/8'];
    expect(occupiedBy(texts.map((text) => route(text)))).toEqual([
      { address: '10.0.0.0', length: 8 },
      { address: '192.0.2.1', length: 32 },
    ]);
  });
});

describe('reachesOthersByV6', () => {
  it.each([
    ['nothing but IPv4', [route('0.0.0.0/0')], false],
    ['its loopback', [route('::1/128', { link: 1 })], false],
    ['neighbours on its links', [route('fe80::/64'), route('ff00::/8')], false],
    ['itself', [route('2001:db8::1/128', { type: 'local' })], false],
    ['a network', [route('2001:db8::/64')], true],
    ['a network of its own', [route('fd00::/64')], true],
    ['all others', [route('::/0')], true],
  ])('%s', (_, routes, reaches) => {
    expect(reachesOthersByV6(routes)).toBe(reaches);
  });
});
