import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type Configuration,
  formatConfiguration,
  type RegistryConfig,
  readConfiguration,
} from '../../../src/config/index.ts';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'rkt-config-'));
});
afterEach(() => rmSync(root, { recursive: true }));

const FOLDERS: Readonly<Record<string, string>> = {
  auth: 'auth.d',
  dockerAuth: 'auth.d',
  containerAuth: 'auth.d',
  registry: 'registries.d',
  paths: 'paths.d',
  stage1: 'stage1.d',
  vm: 'vm.d',
  privateUsers: 'private-users.d',
  template: 'templates.d',
};

/** Writes what a configuration is printed as to the files of a layer, and reads it. */
function readBack(configuration: Configuration): Configuration {
  for (const [index, document] of formatConfiguration(configuration).entries()) {
    const folder = join(root, FOLDERS[document.rktKind] ?? '');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${index}.json`), JSON.stringify(document));
  }
  return readConfiguration([root]);
}

const NOTHING: Configuration = {
  auth: new Map(),
  dockerAuth: new Map(),
  containerAuthFiles: [],
  registries: new Map(),
  stage1: {},
  machine: {},
};
const registry = { mirrors: [], insecure: new Set<'tls' | 'http'>(), cosignKeys: [] };

describe('a configuration that is printed and read back is the same', () => {
  it.each<[string, Partial<Configuration>]>([
    ['nothing', {}],
    [
      'credentials of every type',
      {
        auth: new Map([
          ['a.example', { type: 'basic', user: 'u', password: 'p"\n\u2028' }],
          ['b.example:80', { type: 'oauth', token: 't' }],
          ['c.example', { type: 'aws', accessKeyId: 'i', secretAccessKey: 's' }],
          ['d.example', { type: 'aws', accessKeyId: 'i', secretAccessKey: 's', region: 'eu' }],
        ]),
        dockerAuth: new Map([['registry-1.docker.io', { user: 'u', password: 'p' }]]),
      },
    ],
    ['files of container credentials, in their order', { containerAuthFiles: ['/z', '/a'] }],
    [
      'registries',
      {
        registries: new Map<string, RegistryConfig>([
          ['bare.example', registry],
          [
            'full.example',
            {
              mirrors: ['m.example:1', 'a.example'],
              insecure: new Set(['tls', 'http']),
              lookaside: 'https://signatures.example/a',
              cosignKeys: ['/etc/key.pub'],
            },
          ],
        ]),
      },
    ],
    ['one path', { dataDirectory: '/data' }],
    ['all paths', { dataDirectory: '/data', stage1Images: '/images' }],
    ['the location of a stage1', { stage1: { location: '/stage1.aci' } }],
    ['the name of a stage1', { stage1: { name: 'example.com/s', version: '1' } }],
    ['machines', { machine: { rootfs: 'block', scratchBytes: 2 ** 30, verity: true } }],
    ['ids', { vmIds: { first: 70_000, count: 10 } }],
    ['who shares saved machines', { templates: { scope: 'tenant', tenant: 'crew' } }],
    ['machines that wait', { templates: { scope: 'host', spares: 2, spareSeconds: 60 } }],
    ['that nobody has any', { templates: { scope: 'off' } }],
    ['ids of users', { privateUsers: { first: 100_000, count: 65_536 } }],
  ])('%s', (_, members) => {
    const configuration = { ...NOTHING, ...members };
    expect(readBack(configuration)).toEqual(configuration);
  });
});
