import { mkdtempSync, rmSync } from 'node:fs';
import { hostname, networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { reportOf } from '../support/native-program.ts';

const scratch = mkdtempSync(join(tmpdir(), 'rkt-native-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

it('a compiled program arranges mounts and networks in namespaces of its own', async () => {
  const [name, interfaces] = [hostname(), Object.keys(networkInterfaces())];
  expect(await reportOf('namespaces', scratch)).toEqual({
    hostname: 'inside',
    firstProcess: 1,
    network: {
      before: expect.arrayContaining([{ name: 'lo', up: false }]),
      eth0: expect.objectContaining({ up: true, mtu: 1400, mac: '02:00:00:00:00:01', kind: 'veth' }),
      bridged: true,
      addresses: [
        ['10.1.2.3', 24, '10.1.2.255'],
        ['fd00::3', 64, null],
      ],
      routes: expect.arrayContaining([
        { to: 'default', gateway: '10.1.2.1', table: 254, type: 'unicast', mtu: 1300 },
        { to: '10.9.0.0/16', table: 1000, type: 'unicast', priority: 5 },
        { to: '10.66.0.0/16', table: 254, type: 'blackhole' },
        expect.objectContaining({ to: 'default', gateway: 'fd00::1' }),
      ]),
      shown: {
        address: true,
        route: expect.stringMatching(/^default via 10\.1\.2\.1 dev eth0 .*mtu 1300/),
        table: expect.stringMatching(/^10\.9\.0\.0\/16 dev eth0 .*metric 5/),
        filter: expect.stringMatching(
          /match 00000044\/0000ffff at 20 .*mirred \(Egress Mirror to device tap0\) pass .*match 00000000\/00000000 at 0 .*mirred \(Egress Redirect to device tap0\) stolen/,
        ),
        back: true,
      },
      twice: 'EEXIST',
      unreachable: 'ENETUNREACH',
      renamed: true,
      left: 0,
    },
    visits: { away: true, home: true },
    mounts: {
      found: [
        ['', '/', 'tmpfs'],
        ['/tree/sub/inner', '/tree/sub', 'tmpfs'],
      ],
      mode: 0o750,
      differ: true,
      missing: 'EINVAL',
      wrong: 'ENOENT',
    },
    roots: { names: ['copied', 'file', 'old'], copied: true },
  });
  // Nothing of it shows outside.
  expect([hostname(), Object.keys(networkInterfaces())]).toEqual([name, interfaces]);
});
