import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { openHost } from '../../../src/stage0/host.ts';
import { requestedNetworks } from '../../../src/stage0/network-request.ts';
import { knownNetworks } from '../../../src/stage0/networks.ts';

const directory = mkdtempSync(join(tmpdir(), 'rkt-networks-'));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const known = (files: Readonly<Record<string, string>>) => {
  for (const [name, text] of Object.entries(files)) {
    const path = join(directory, 'net.d', name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  return knownNetworks(
    openHost({
      dataDirectory: directory,
      systemConfig: directory,
      localConfig: directory,
      insecure: new Set(),
      debug: false,
    }),
  );
};

const BUILT_IN = [
  { name: 'default', plugins: ['ptp'] },
  { name: 'default-restricted', plugins: ['ptp'] },
];

it('knows the built-in networks', () => {
  expect(known({})).toEqual(BUILT_IN);
});

it('knows those of files as a pod would get them, and leaves out what is none', () => {
  const networks = known({
    '20-b.conflist': '{"name":"b","plugins":[{"type":"bridge"},{"type":"portmap"}]}',
    '10-a.conf': '{"name":"a","type":"macvlan"}',
    '30-a.conf': '{"name":"a","type":"bridge"}',
    '40-default.conf': '{"name":"default","type":"bridge"}',
    '50-broken.conf': '{',
    '60-c.conflist': '{"name":"c"}',
    'c/1.conf': '{"type":"vlan"}',
    'c/2.txt': '{"type":"tuning"}',
    'd.conf/x': '',
    'e.conf.old': '{"name":"e","type":"ptp"}',
  });
  expect(networks).toEqual([
    { name: 'a', plugins: ['macvlan'] },
    { name: 'b', plugins: ['bridge', 'portmap'] },
    { name: 'default', plugins: ['bridge'] },
    { name: 'c', plugins: ['vlan'] },
    { name: 'default-restricted', plugins: ['ptp'] },
  ]);
});

it('tells a stage1 of all networks that are asked for', () => {
  expect([['a', 'b:IP=10.0.0.1,c'], ['none'], ['']].map(requestedNetworks)).toEqual([
    'a,b:IP=10.0.0.1,c',
    'none',
    'default',
  ]);
  expect(() => requestedNetworks(['a', 'none'])).toThrow('--net=a,none: none stands alone');
});
