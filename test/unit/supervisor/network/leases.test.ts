import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { useEngine } from '../../../../src/native/engine.ts';
import type { NetworkList } from '../../../../src/net/network-list.ts';
import { leasedAddresses, removeOwnerless } from '../../../../src/supervisor/network/leases.ts';
import { koffiEngine } from '../../../support/koffi-syscall.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'leases-'));
const ID = '1707aed6-e9dc-4ca9-ad41-bae2f711e0b5';

const network = (ipam: object): NetworkList => ({
  name: 'web',
  cniVersion: '1.0.0',
  disableCheck: false,
  disableGc: false,
  plugins: [{ type: 'bridge', ipam }, { type: 'portmap' }],
  source: 'built-in',
});
const lease = (name: string, text: string) => writeFileSync(join(dataDir, 'web', name), text);

beforeAll(() => {
  useEngine(koffiEngine);
  mkdirSync(join(dataDir, 'web'));
  lease('10.1.0.2', `${ID}\r\neth0`);
  lease('10.1.0.3', `${ID}\r\neth1`);
  lease('10.1.0.4', `another\r\neth0`);
  lease('10.1.0.5', '');
  lease('fd00::5', ID);
  lease('last_reserved_ip.0', '10.1.0.5');
});
afterAll(() => rmSync(dataDir, { recursive: true }));

test('addresses are found by the container and its interface; old leases tell of none', () => {
  const list = network({ type: 'host-local', dataDir });
  expect(leasedAddresses(list, ID, 'eth0').sort()).toEqual(['10.1.0.2', 'fd00::5']);
  expect(leasedAddresses(list, ID, 'eth1').sort()).toEqual(['10.1.0.3', 'fd00::5']);
});

test('of others who give addresses nothing is known', () => {
  expect(leasedAddresses(network({ type: 'static', dataDir }), ID, 'eth0')).toEqual([]);
  expect(
    leasedAddresses(network({ type: 'host-local', dataDir: join(dataDir, 'none') }), ID, 'eth0'),
  ).toEqual([]);
});

test('leases without an owner go, and nothing else', () => {
  removeOwnerless(network({ type: 'host-local', dataDir }));
  expect(readdirSync(join(dataDir, 'web')).sort()).toEqual([
    '10.1.0.2',
    '10.1.0.3',
    '10.1.0.4',
    'fd00::5',
    'last_reserved_ip.0',
    'lock',
  ]);
});
