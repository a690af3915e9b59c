import { networkInterfaces } from 'node:os';
import { describe, expect, it } from 'vitest';
import { listAddresses, parseAddress } from '../../../../src/native/netlink/addresses.ts';
import {
  attribute,
  nestedAttribute,
  parseAttributes,
  textAttribute,
  textOf,
  u32Attribute,
  u32Of,
} from '../../../../src/native/netlink/attributes.ts';
import { formatIp, formatMac, parseIp, parseMac } from '../../../../src/native/netlink/ip.ts';
import { changeLink, findLink, listLinks } from '../../../../src/native/netlink/links.ts';
import { listRoutes } from '../../../../src/native/netlink/routes.ts';
import { Netlink, parseMessages } from '../../../../src/native/netlink/socket.ts';
import { nativeScratch } from '../../../support/native-scratch.ts';

nativeScratch();

describe('attributes', () => {
  it('are padded, and read back without their padding', () => {
    const packed = attribute(3, new Uint8Array([1]));
    expect([...packed]).toEqual([5, 0, 3, 0, 1, 0, 0, 0]);
    const read = parseAttributes(
      new Uint8Array([...packed, ...u32Attribute(4, 77), ...textAttribute(5, 'lo')]),
    );
    expect([read.get(3)?.length, u32Of(read, 4), textOf(read, 5), u32Of(read, 9)]).toEqual([
      1,
      77,
      'lo',
      undefined,
    ]);
  });

  it('nest', () => {
    const read = parseAttributes(nestedAttribute(18, textAttribute(1, 'veth')));
    expect(textOf(parseAttributes(read.get(18) ?? new Uint8Array(0)), 1)).toBe('veth');
  });

  it('end where their lengths are nonsense', () => {
    expect(parseAttributes(new Uint8Array([2, 0, 1, 0, 9])).size).toBe(0);
    expect(() => parseAttributes(new Uint8Array([200, 0, 1, 0, 9]))).toThrow(RangeError);
    expect(parseMessages(new Uint8Array(16))).toEqual([]);
  });
});

describe('ip addresses', () => {
  it.each([
    '192.0.2.1',
    '0.0.0.0',
    '::',
    '::1',
    'fe80::1',
    '2001:db8::1:0:0:1',
    '1:2:3:4:5:6:7:8',
    '1::8',
    '2001:db8:0:1::',
  ])('%s is read and written', (text) => {
    expect(formatIp(parseIp(text))).toBe(text);
  });

  it('have other forms', () => {
    expect(formatIp(parseIp('2001:DB8:0:0:0:0:0:1'))).toBe('2001:db8::1');
    expect(formatIp(parseIp('::ffff:192.0.2.1'))).toBe('::ffff:c000:201');
    expect(formatIp(parseIp('1:0:3:4:5:6:7:8'))).toBe('1:0:3:4:5:6:7:8');
  });

  it.each([
    '',
    '1.2.3',
    '1.2.3.256',
    '01.2.3.4',
    '1.2.3.4.5',
    ':1',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '12345::',
    '1:2:3:4:5:6:7:8:9',
    'g::',
    '::1.2.3',
    '1:2:3:4:5:6:7::8',
  ])("'%s' is none", (text) => {
    expect(() => parseIp(text)).toThrow(`'${text}' is no ip address`);
  });

  it('have hardware beside them', () => {
    expect(formatMac(parseMac('02:00:5E:10:00:ff'))).toBe('02:00:5e:10:00:ff');
    expect(() => parseMac('02:00')).toThrow("'02:00' is no mac address");
  });
});

it('reads a point-to-point address', () => {
  const body = new Uint8Array([
    ...[2, 32, 0x80, 0, 3, 0, 0, 0],
    ...attribute(2, parseIp('10.0.0.1')),
    ...attribute(1, parseIp('10.0.0.2')),
  ]);
  expect(parseAddress(body)).toEqual({
    link: 3,
    address: '10.0.0.1',
    length: 32,
    scope: 0,
    detection: 'over',
    permanent: true,
    deprecated: false,
    prefixRoute: true,
    peer: '10.0.0.2',
  });
});

describe('this machine', () => {
  it('has a loopback interface with its address', () => {
    using netlink = new Netlink();
    const loopback = findLink(netlink, 'lo');
    expect(loopback).toMatchObject({ loopback: true, kind: undefined, mac: '00:00:00:00:00:00' });
    const own = listAddresses(netlink).filter((address) => address.link === loopback?.index);
    const { lo = [] } = networkInterfaces();
    const expected = lo.map((address) => address.address);
    expect(own.map((address) => address.address)).toEqual(expect.arrayContaining(expected));
  });

  it('has the interfaces and routes that others see', () => {
    using netlink = new Netlink();
    const links = listLinks(netlink);
    for (const [name, addresses] of Object.entries(networkInterfaces())) {
      expect(links.find((link) => link.name === name)?.mac).toBe(addresses?.[0]?.mac);
    }
    expect(listRoutes(netlink).some((route) => route.type === 'local')).toBe(true);
  });

  it('refuses changes of what is not there, in a sentence', () => {
    using netlink = new Netlink();
    expect(() => changeLink(netlink, 999_999, { mtu: 1400 })).toThrow(
      /^E(NODEV|PERM): .*, change link 999999/,
    );
    expect(() => changeLink(netlink, 1, { name: 'a-name-that-is-too-long' })).toThrow(RangeError);
  });
});
