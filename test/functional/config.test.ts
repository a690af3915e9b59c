import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { GroupHost } from '../support/group-member.ts';
import { useRkt } from '../support/rkt.ts';

const rkt = useRkt();
const basic = (user: string) => ({ user, password: 'secret' });

/** What is in the files of a host: each kind, and some of it overridden. */
const SYSTEM = {
  'paths.d/paths.json': { rktKind: 'paths', data: '/vendor', 'stage1-images': '/vendor/images' },
  'auth.d/a.json': {
    rktKind: 'auth',
    domains: ['a.example', 'b.example'],
    type: 'basic',
    credentials: basic('v'),
  },
  'stage1.d/a.json': { rktKind: 'stage1', name: 'example.com/stage1', version: '1.0' },
};
const LOCAL = {
  'paths.d/paths.json': { rktKind: 'paths', data: '/admin' },
  'auth.d/a.json': {
    rktKind: 'auth',
    domains: ['b.example'],
    type: 'oauth',
    credentials: { token: 'secret' },
  },
  'auth.d/b.json': { rktKind: 'dockerAuth', registries: ['docker.io'], credentials: basic('d') },
  'auth.d/c.json': { rktKind: 'containerAuth', files: ['/root/.docker/config.json'] },
  'registries.d/a.json': {
    rktKind: 'registry',
    registries: ['quay.example'],
    mirrors: ['mirror.example:5000'],
    insecure: ['tls'],
  },
  'vm.d/ids.json': { rktKind: 'vm', ids: { first: 70_000, count: 10 } },
};

const document = (rktKind: string, members: object) => ({ rktVersion: 'v1', rktKind, ...members });
const SECRETS = [
  document('auth', { domains: ['a.example'], type: 'basic', credentials: basic('v') }),
  document('auth', { domains: ['b.example'], type: 'oauth', credentials: { token: 'secret' } }),
  document('dockerAuth', { registries: ['registry-1.docker.io'], credentials: basic('d') }),
  document('containerAuth', { files: ['/root/.docker/config.json'] }),
];
const REST = [
  document('registry', {
    registries: ['quay.example'],
    mirrors: ['mirror.example:5000'],
    insecure: ['tls'],
  }),
  document('paths', { data: '/admin', 'stage1-images': '/vendor/images' }),
  document('stage1', { name: 'example.com/stage1', version: '1.0' }),
  document('vm', { ids: { first: 70_000, count: 10 } }),
];

function write(layer: string, files: Readonly<Record<string, object>>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(layer, name)), { recursive: true });
    writeFileSync(join(layer, name), JSON.stringify({ rktVersion: 'v1', ...content }));
  }
}

beforeAll(() => {
  write(rkt.systemConfig, SYSTEM);
  write(rkt.localConfig, LOCAL);
});

test('what the layers say together is printed, each name a document of its own', async () => {
  const printed = await rkt.output(['config', '--pretty-print=false']);
  expect(printed).toBe(`${JSON.stringify({ stage0: [...SECRETS, ...REST] })}\n`);
  const indented = `${JSON.stringify({ stage0: [...SECRETS, ...REST] }, null, '\t')}\n`;
  expect(await rkt.output(['config'])).toBe(indented);
});

test('what overrides all layers is printed too, and nothing where nothing is set', async () => {
  write(rkt.path('user'), { 'paths.d/a.json': { rktKind: 'paths', data: '/user' } });
  const user = JSON.parse(await rkt.output([`--user-config=${rkt.path('user')}`, 'config']));
  expect(user.stage0).toContainEqual(document('paths', { data: '/user', 'stage1-images': '/vendor/images' }));
  const nowhere = ['--system-config=/nonexistent', '--local-config=/nonexistent'];
  expect(await rkt.output([...nowhere, 'config'])).toBe('{\n\t"stage0": []\n}\n');
});

test('who may not read credentials is shown what else there is', async () => {
  for (const layer of [rkt.systemConfig, rkt.localConfig]) chmodSync(join(layer, 'auth.d'), 0o700);
  const { code, stdout } = await new GroupHost(rkt).stranger(['config']);
  expect({ code, printed: JSON.parse(stdout) }).toEqual({ code: 0, printed: { stage0: REST } });
});
