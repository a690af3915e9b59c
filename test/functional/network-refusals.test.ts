import { execFileSync } from 'node:child_process';
import { rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { tinyImages } from '../support/images.ts';
import { leftOfPods } from '../support/network-look.ts';
import { installShellPlugin, useSite } from '../support/network-site.ts';

// Networks that cannot be had: it is known before any machine starts.

const site = useSite();
let image = '';
beforeAll(async () => {
  image = (await tinyImages()).aci.plain;
  installShellPlugin(site.now);
});

const refusal = async (net: string) => {
  const { code, stderr } = await site.now.rkt.run(['run', `--net=${net}`, image]);
  expect(stderr).not.toContain('left to gc');
  expect({ code, stack: stderr.includes('    at ') }).toEqual({ code: 254, stack: false });
  return stderr;
};
const write = (name: string, ...plugins: readonly object[]) =>
  site.now.network(`50-${name}.conflist`, { cniVersion: '1.0.0', name, plugins });

test('because nobody has configured it', async () => {
  expect(await refusal('default,absent')).toContain('networks not found: absent');
});

test('because its plugin is nowhere', async () => {
  write('no-plugin', { type: 'no-such-plugin' });
  write('no-ipam', { type: 'bridge', ipam: { type: 'no-such-ipam' } });
  expect(await refusal('no-plugin')).toContain('plugin no-such-plugin: there is no such plugin');
  expect(await refusal('no-ipam')).toContain('plugin no-such-ipam: there is no such plugin');
});

test('because a plugin fails: its code, message and details are told, and what others have made is taken away', async () => {
  const ipam = { type: 'host-local', ranges: [[{ subnet: '10.5.0.0/24' }]] };
  write('whole', { type: 'bridge', bridge: 'whole0', isGateway: true, ipMasq: true, ipam });
  write('broken', { type: 'cable', kind: 'broken' });
  const stderr = await refusal('whole,default,broken');
  for (const part of ['cable', '123', 'the cable is broken', 'it was trodden on'])
    expect(stderr).toContain(part);
  const uuids = (await site.now.rkt.list()).map(({ name }) => name);
  expect(await leftOfPods(site.now.host, uuids)).toEqual([]);
  expect(await site.now.host.run('cat', '/run/cable.log')).toMatch(/^ADD \S+ eth2 /m);
});

test('because its plugin does not speak its version: which it speaks is told, and gc misses nothing', async () => {
  site.now.network('55-new.conf', { cniVersion: '1.1.0', name: 'new', type: 'bridge' });
  const env = { CNI_PATH: '/usr/lib/cni' };
  const { code, stderr } = await site.now.rkt.run(['run', '--net=new', image], { env });
  expect(code).toBe(254);
  expect(stderr).toMatch(/bridge: STATUS: .* it does not speak version 1\.1\.0, but \[.*"1\.0\.0"\]/);
  expect(stderr).not.toContain('left to gc');
});

test('because the address that is asked for is not in it', async () => {
  expect(await refusal('default:IP=10.0.0.1')).toMatch(
    /^run: failed to setup network: .*requested IP address "10\.0\.0\.1" is not available in network: default/m,
  );
});

test('because what would be recorded of it could not be read again, by who is to take it away', async () => {
  write('told', { type: 'cable' });
  const stderr = await refusal(`told:LONG=${'x'.repeat(70_000)}`);
  expect(stderr).toContain('net/00-told.json: attachment.args');
  expect(await site.now.host.run('cat', '/run/cable.log')).not.toContain('x'.repeat(100));
});

test('because its plugin refuses what it is told: of that one there is nothing to be taken away, now or by gc', async () => {
  write('odd', { type: 'ptp', ipam: 5 });
  expect(await refusal('default,odd')).toContain('plugin ptp: ADD: config.ipam: expected an object, got 5');
});

// It stays: what comes after is before it in the order of names.
test('because its configuration is none', async () => {
  site.now.network('60-typeless.conf', { cniVersion: '1.0.0', name: 'typeless' });
  expect(await refusal('typeless')).toContain('60-typeless.conf');
});

test.each([
  ['is a fifo', (path: string) => void execFileSync('mkfifo', [path]), 'is not a regular file'],
  ['is a device', (path: string) => symlinkSync('/dev/zero', path), 'is not a regular file'],
  ['is huge', (path: string) => writeFileSync(path, Buffer.alloc(2_000_000)), 'has more than 1048576 bytes'],
  ['is empty', (path: string) => writeFileSync(path, ''), 'not JSON'],
  ['is nested', (path: string) => writeFileSync(path, '['.repeat(1_000_000)), 'not JSON'],
  ['leads to itself', (path: string) => symlinkSync(path, path), 'ELOOP'],
])('because a file of its directory %s: it is told by its name, and not waited for', async (_, make, why) => {
  const path = join(site.now.rkt.localConfig, 'net.d/00-odd.conf');
  make(path);
  const stderr = await refusal('default');
  rmSync(path);
  expect(stderr).toContain(path);
  expect(stderr).toContain(why);
});
