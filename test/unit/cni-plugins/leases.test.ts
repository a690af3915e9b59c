import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { Leases } from '../../../cni-plugins/ipam/leases.ts';
import { formatIp, parseIp } from '../../../src/native/netlink/ip.ts';
import { parseResolvConf } from '../../../src/net/cni/resolv-conf.ts';
import { nativeScratch } from '../../support/native-scratch.ts';

const scratch = nativeScratch();
let count = 0;
let directory = '';
beforeEach(() => {
  directory = join(scratch, `network-${++count}`);
});

const owner = (containerId: string, ifName = 'eth0') => ({ containerId, ifName });
const names = () => readdirSync(directory).sort();

describe('leases', () => {
  it('are files as the reference plugin has them', () => {
    using leases = Leases.open(directory);
    leases.take(parseIp('10.1.2.3'), owner('a'));
    leases.take(parseIp('fd00::3'), owner('a'));
    leases.setLast(0, parseIp('10.1.2.3'));
    expect(names()).toEqual(['10.1.2.3', 'fd00::3', 'last_reserved_ip.0', 'lock']);
    expect(readFileSync(join(directory, '10.1.2.3'), 'utf8')).toBe('a\r\neth0');
    expect(readFileSync(join(directory, 'last_reserved_ip.0'), 'utf8')).toBe('10.1.2.3');
    expect(leases.addressesOf(owner('a')).map(formatIp)).toEqual(['10.1.2.3', 'fd00::3']);
    expect([leases.isFree(parseIp('10.1.2.3')), leases.isFree(parseIp('10.1.2.4'))]).toEqual([false, true]);
  });

  it('are given back by their owner, interface by interface', () => {
    using leases = Leases.open(directory);
    leases.take(parseIp('10.1.2.3'), owner('a'));
    leases.take(parseIp('10.1.2.4'), owner('a', 'eth1'));
    leases.take(parseIp('10.1.2.5'), owner('ab'));
    leases.release(owner('a'));
    expect(names()).toEqual(['10.1.2.4', '10.1.2.5', 'lock']);
    expect(leases.isFree(parseIp('10.1.2.3'))).toBe(true);
  });

  it("without an interface, of an old plugin, are the container's", () => {
    mkdirSync(directory);
    writeFileSync(join(directory, '10.1.2.3'), 'a');
    using leases = Leases.open(directory);
    expect(leases.addressesOf(owner('a', 'eth7')).map(formatIp)).toEqual(['10.1.2.3']);
    leases.release(owner('a', 'eth7'));
    expect(names()).toEqual(['lock']);
  });

  it('half written, of somebody who was killed, are none, and taken away by the next', () => {
    mkdirSync(directory);
    writeFileSync(join(directory, 'lease.tmp'), 'a\r\neth0');
    writeFileSync(join(directory, 'last_reserved_ip.0'), 'rub');
    using leases = Leases.open(directory);
    expect(leases.addressesOf(owner('a'))).toEqual([]);
    expect(leases.last(0)).toBeUndefined();
    expect(names()).toEqual(['last_reserved_ip.0', 'lock']);
    leases.take(parseIp('10.1.2.3'), owner('b'));
    expect(names()).toEqual(['10.1.2.3', 'last_reserved_ip.0', 'lock']);
  });

  it('of a network that never had any need no directory', () => {
    expect(Leases.openIfPresent(directory)).toBeUndefined();
    expect(readdirSync(scratch)).not.toContain(`network-${count}`);
  });
});

it('a resolv.conf is read as resolvers do', () => {
  const text =
    '# a comment\nnameserver 10.0.0.1\n nameserver\tfd00::1 \nnameserver\ndomain a.example\nsearch x\nsearch b c\noptions ndots:2\noptions rotate\n';
  expect(parseResolvConf(text)).toEqual({
    nameservers: ['10.0.0.1', 'fd00::1'],
    domain: 'a.example',
    search: ['b', 'c'],
    options: ['ndots:2', 'rotate'],
  });
  expect(parseResolvConf('')).toEqual({});
});
