import { describe, expect, test } from 'vitest';
import { type ExposedPort, parsePodManifest, readPodManifest } from '../../../src/appc/index.ts';
import { blankPodManifest, formatPodManifest } from '../../../src/appc/pod-manifest.ts';
import { parsePort, parseSandboxPort } from '../../../src/net/port-request.ts';

const numbered = (podPort: number, hostPort: number, more: object = {}) => ({
  ...{ name: `${podPort}-tcp`, hostPort },
  podPort: { name: `${podPort}-tcp`, protocol: 'tcp', port: podPort, count: 1, socketActivated: false },
  ...more,
});
const counted = (count: number, protocol = 'tcp') => ({
  name: `80-${protocol}`,
  podPort: { name: `80-${protocol}`, protocol, port: 80, count, socketActivated: false },
});

describe('--port', () => {
  test.each<[string, object]>([
    ['www:8080', { name: 'www', hostPort: 8080 }],
    ['www:0', { name: 'www', hostPort: 0 }],
    ['80-tcp:8080', { name: '80-tcp', hostPort: 8080 }],
    ['www:127.0.0.1:8080', { name: 'www', hostPort: 8080, hostIP: '127.0.0.1' }],
    ['www:[2001:DB8::0]:8080', { name: 'www', hostPort: 8080, hostIP: '2001:db8::' }],
    ['8080:80', numbered(80, 8080)],
    ['0:80', numbered(80, 0)],
    ['192.0.2.1:8080:80', numbered(80, 8080, { hostIP: '192.0.2.1' })],
    ['[::]:8080:80', numbered(80, 8080, { hostIP: '::' })],
    ['8080:80/udp', { hostPort: 8080, ...counted(1, 'udp') }],
    ['8080:80/SCTP', { hostPort: 8080, ...counted(1, 'sctp') }],
    ['8080-8089:80-89', { hostPort: 8080, ...counted(10) }],
    ['0:80-89/udp', { hostPort: 0, ...counted(10, 'udp') }],
    ['8080-8080:80', numbered(80, 8080)],
  ])('%s', (text, expected) => {
    const port = parsePort(text);
    expect(port).toEqual(expected);
    // It has to come through the pod's manifest.
    const manifest = { ...blankPodManifest, ports: [port] };
    expect(readPodManifest(formatPodManifest(manifest)).ports).toEqual([expected]);
  });

  test.each([
    ['', /^--port=: expected NAME:\[IP:\]HOST, or/],
    ['8080', /expected NAME/],
    ['www', /expected NAME/],
    ['www:', /expected NAME/],
    ['WWW:80', /expected NAME/],
    ['www:80/udp', /expected NAME/],
    ['www:80-90', /expected NAME/],
    ['a b:80', /expected NAME/],
    ['8080:80:', /expected NAME/],
    ['-1:80', /expected NAME/],
    ['8080-:80', /expected NAME/],
    ['www:8080:80', '--port=www:8080:80: "www" is no IP address'],
    ['::1:8080:80', /expected NAME/],
    ['[::g]:8080:80', '"[::g]" is no IP address'],
    ['[192.0.2.1]:8080:80', '"[192.0.2.1]" is no IP address'],
    ['192.0.2.256:8080:80', '"192.0.2.256" is no IP address'],
    ['70000:80', 'port 70000 is not from 0 to 65535'],
    ['80:70000', 'port 70000 is not from 1 to 65535'],
    ['80:0', 'port 0 is not from 1 to 65535'],
    ['www:99999999999999999999', /port 99999999999999999999 is not from/],
    ['8080:80/icmp', '"icmp" is not one of tcp, udp, sctp'],
    ['8080:80/', '"" is not one of'],
    ['8080-8090:80', '11 of the host cannot lead to 1 of the pod'],
    ['8080:80-90', '1 of the host cannot lead to 11 of the pod'],
    ['8090-8080:80-90', '8090-8080 is no range'],
    ['0-10:80-90', '0-10 is no range'],
    ['80:90-80', '90-80 is no range'],
  ])('%j is refused', (text, problem) => {
    expect(() => parsePort(text)).toThrow(problem);
    expect(() => parsePort(text)).toThrow(expect.objectContaining({ code: 'bad-request' }));
  });
});

describe('--port of a sandbox', () => {
  const web = (more: object = {}) => ({
    ...{ name: 'web', hostPort: 8080 },
    podPort: { name: 'web', protocol: 'tcp', port: 80, count: 1, socketActivated: false },
    ...more,
  });

  test.each<[string, object]>([
    ['web:tcp:80:127.0.0.1:8080', web({ hostIP: '127.0.0.1' })],
    ['web:tcp:80::8080', web()],
    ['web:TCP:80:[::]:0', web({ hostIP: '::', hostPort: 0 })],
    ['8080:80', numbered(80, 8080)],
  ])('%s', (text, expected) => {
    expect(parseSandboxPort(text)).toEqual(expected);
  });

  test.each([
    ['web:8080', /expected NAME:PROTOCOL:POD:\[IP\]:HOST, or/],
    ['web:tcp:80:8080', /expected NAME:PROTOCOL/],
    ['Web:tcp:80::8080', /expected NAME:PROTOCOL/],
    ['web:tcp:80:::1:8080', /expected NAME:PROTOCOL/],
    ['web:quic:80::8080', '"quic" is not one of'],
    ['web:tcp:0::8080', 'port 0 is not from 1'],
    ['web:tcp:80:localhost:8080', '"localhost" is no IP address'],
  ])('%j is refused', (text, problem) => {
    expect(() => parseSandboxPort(text)).toThrow(problem);
  });
});

test('a port of a manifest may be any that is free', () => {
  const ports: ExposedPort[] = [{ name: 'www' as ExposedPort['name'], hostPort: 0 }];
  const json = JSON.parse(formatPodManifest({ ...blankPodManifest, ports }));
  expect(parsePodManifest(json).ports).toEqual(ports);
});
