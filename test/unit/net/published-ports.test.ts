import { describe, expect, test } from 'vitest';
import { formatPublishedPorts, parsePublishedPorts } from '../../../src/abi/published-ports.ts';
import { parsePodManifest } from '../../../src/appc/index.ts';
import {
  formatHostPort,
  formatPublishedPort,
  overlaps,
  wantedPorts,
} from '../../../src/net/published-ports.ts';

const image = { id: `sha512-${'ab'.repeat(32)}` };
const app = (name: string, ...ports: object[]) => ({
  name,
  image,
  app: { exec: ['/bin/sh'], user: '0', group: '0', ports },
});
const manifest = (ports: object[], apps: object[] = [app('web', www), app('bare', dns)]) =>
  parsePodManifest({ acKind: 'PodManifest', acVersion: '0.8.11', apps, ports });

const www = { name: 'www', protocol: 'tcp', port: 80 };
const dns = { name: 'dns', protocol: 'UDP', port: 5300, count: 3 };

test('what a manifest publishes is what its apps call so, or what it says itself', () => {
  const podPort = { name: 'www', protocol: 'tcp', port: 22 };
  const ports = [
    { name: 'www', hostPort: 8080 },
    { name: 'dns', hostPort: 53, hostIP: '2001:DB8::0' },
    { name: 'www', hostPort: 2200, podPort },
    { name: 'www', hostPort: 0 },
    { name: 'www', hostPort: 0 },
  ];
  expect(wantedPorts(manifest(ports))).toEqual([
    { name: 'www', protocol: 'tcp', hostPort: 8080, podPort: 80, count: 1 },
    { name: 'dns', protocol: 'udp', hostIP: '2001:db8::', hostPort: 53, podPort: 5300, count: 3 },
    { name: 'www', protocol: 'tcp', hostPort: 2200, podPort: 22, count: 1 },
    { name: 'www', protocol: 'tcp', hostPort: 0, podPort: 80, count: 1 },
    { name: 'www', protocol: 'tcp', hostPort: 0, podPort: 80, count: 1 },
  ]);
});

const exposed = (port: object) => ({ name: 'x', hostPort: 80, podPort: { ...www, name: 'x' }, ...port });

test.each<[string, object[], string]>([
  ['of no app', [{ name: 'ftp', hostPort: 21 }], 'port "ftp" is not defined by any app: they have www, dns'],
  ['beyond the last', [{ name: 'dns', hostPort: 65_534 }], 'port dns: 3 from 65534 go beyond 65535'],
  ['of no protocol', [exposed({ podPort: { ...www, name: 'x', protocol: 'icmp' } })], '"icmp" is not one of'],
  ['of no address', [exposed({ hostIP: '1.2.3' })], 'port x: "1.2.3" is no IP address'],
  ['that would lead nowhere', [exposed({ hostIP: '0::1' })], 'what is sent to ::1 never leaves the host'],
  [
    'twice',
    [exposed({ name: 'a' }), exposed({ name: 'b', hostIP: '10.0.0.1' })],
    'tcp port 10.0.0.1:80 is published twice: a, b',
  ],
  [
    'of too many',
    [exposed({ hostPort: 1, podPort: { ...www, name: 'x', port: 1, count: 4097 } })],
    'a pod publishes at most 4096 ports, not 4097',
  ],
])('a port %s is refused', (_, ports, problem) => {
  expect(() => wantedPorts(manifest(ports))).toThrow(problem);
});

test('a port that two apps have is refused, and one of pods without any', () => {
  const both = manifest([{ name: 'www', hostPort: 80 }], [app('a', www), app('b', www)]);
  expect(() => wantedPorts(both)).toThrow('apps a and b both define port "www"');
  const neither = manifest([{ name: 'www', hostPort: 80 }], [{ name: 'a', image }]);
  expect(() => wantedPorts(neither)).toThrow('port "www" is not defined by any app: they have none');
});

describe('ports of a host', () => {
  const ports = (hostPort: number, count: number, hostIP?: string, protocol: 'tcp' | 'udp' = 'tcp') => ({
    ...{ protocol, hostPort, count },
    ...(hostIP === undefined ? {} : { hostIP }),
  });

  test.each([
    [ports(80, 1), ports(80, 1), true],
    [ports(80, 1), ports(80, 1, undefined, 'udp'), false],
    [ports(80, 1), ports(81, 1), false],
    [ports(80, 10), ports(89, 1), true],
    [ports(80, 10), ports(90, 1), false],
    [ports(80, 10), ports(70, 10), false],
    [ports(80, 10), ports(70, 11), true],
    [ports(80, 1), ports(80, 1, '10.0.0.1'), true],
    [ports(80, 1), ports(80, 1, '::'), true],
    [ports(80, 1, '0.0.0.0'), ports(80, 1, '10.0.0.1'), true],
    [ports(80, 1, '0.0.0.0'), ports(80, 1, '::'), false],
    [ports(80, 1, '::'), ports(80, 1, 'fd00::1'), true],
    [ports(80, 1, 'fd00::2'), ports(80, 1, 'fd00::1'), false],
    [ports(80, 1, '10.0.0.1'), ports(80, 1, '10.0.0.1'), true],
    [ports(80, 1, '10.0.0.2'), ports(80, 1, '10.0.0.1'), false],
  ])('%j and %j', (a, b, expected) => {
    expect(overlaps(a, b)).toBe(expected);
    expect(overlaps(b, a)).toBe(expected);
  });

  test('are told in words', () => {
    expect(formatHostPort(ports(80, 1))).toBe('tcp port 80');
    expect(formatHostPort(ports(80, 3, '10.0.0.1', 'udp'))).toBe('udp ports 10.0.0.1:80-82');
    expect(formatHostPort(ports(80, 1, '::'))).toBe('tcp port [::]:80');
    expect(formatPublishedPort({ ...ports(80, 1), name: 'a', podPort: 8080 })).toBe('80:8080/tcp');
    const range = { ...ports(80, 2, '::', 'udp'), name: 'a', podPort: 90 };
    expect(formatPublishedPort(range)).toBe('[::]:80-81:90-91/udp');
  });
});

describe('ports.json', () => {
  test('is what it was', () => {
    const ports = wantedPorts(manifest([exposed({}), { name: 'dns', hostPort: 53, hostIP: '10.0.0.1' }]));
    expect(parsePublishedPorts(formatPublishedPorts(ports))).toEqual(ports);
    expect(parsePublishedPorts(formatPublishedPorts([]))).toEqual([]);
  });

  test.each([
    '{}',
    '[1]',
    '[{"name":"a","protocol":"icmp","hostPort":80,"podPort":80,"count":1}]',
    '[{"name":"a","protocol":"tcp","hostPort":0,"podPort":80,"count":1}]',
    '[{"name":"a","protocol":"tcp","hostPort":80,"podPort":80,"count":0}]',
  ])('%s is none', (text) => {
    expect(() => parsePublishedPorts(text)).toThrow(/^file\.ports/);
  });
});
