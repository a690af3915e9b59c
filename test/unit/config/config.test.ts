import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readConfiguration } from '../../../src/config/index.ts';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'rkt-config-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function put(layer: string, file: string, content: unknown): void {
  const path = join(root, layer, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
}

const read = (...layers: string[]) => readConfiguration(layers.map((layer) => join(root, layer)));
const paths = { rktKind: 'paths', rktVersion: 'v1' };
const stage1 = { rktKind: 'stage1', rktVersion: 'v1' };
const registry = (content: object) => ({ rktKind: 'registry', rktVersion: 'v1', ...content });
const basic = (user: string, ...domains: string[]) => ({
  rktKind: 'auth',
  rktVersion: 'v1',
  domains,
  type: 'basic',
  credentials: { user, password: 'p' },
});

describe('layers', () => {
  it('are empty when there are none', () => {
    expect(read('none')).toEqual({
      auth: new Map(),
      dockerAuth: new Map(),
      containerAuthFiles: [],
      registries: new Map(),
      stage1: {},
      machine: {},
    });
  });

  it('override each other path by path, domain by domain', () => {
    put('system', 'paths.d/a.json', { ...paths, data: '/vendor', 'stage1-images': '/images' });
    put('local', 'paths.d/a.json', { ...paths, data: '/admin' });
    put('system', 'auth.d/a.json', basic('vendor', 'a.example', 'b.example'));
    put('local', 'auth.d/z.json', basic('admin', 'b.example'));
    const configuration = read('system', 'local', 'user');
    expect(configuration).toMatchObject({ dataDirectory: '/admin', stage1Images: '/images' });
    expect([...configuration.auth].map(([domain, { type, ...rest }]) => [domain, type, rest])).toEqual([
      ['a.example', 'basic', { user: 'vendor', password: 'p' }],
      ['b.example', 'basic', { user: 'admin', password: 'p' }],
    ]);
  });

  it('override the name and the location of the stage1 apart', () => {
    put('system', 'stage1.d/a.json', { ...stage1, name: 'v', version: '1', location: '/v.aci' });
    put('local', 'stage1.d/a.json', { ...stage1, location: 'https://example.com/s.aci' });
    expect(read('system', 'local').stage1).toEqual({
      name: 'v',
      version: '1',
      location: 'https://example.com/s.aci',
    });
  });

  it('say which ids virtual machines run under', () => {
    put('local', 'vm.d/ids.json', { rktKind: 'vm', rktVersion: 'v1', ids: { first: 70000, count: 10 } });
    expect(read('local').vmIds).toEqual({ first: 70000, count: 10 });
  });

  it('say which ids are for the users of pods', () => {
    const ids = { first: 100000, count: 65536 };
    put('local', 'private-users.d/ids.json', { rktKind: 'privateUsers', rktVersion: 'v1', ids });
    expect(read('local').privateUsers).toEqual(ids);
  });

  it('say who shares saved machines', () => {
    const template = { rktKind: 'template', rktVersion: 'v1' };
    put('system', 'templates.d/a.json', { ...template, scope: 'tenant', tenant: 'crew' });
    expect(read('system').templates).toEqual({ scope: 'tenant', tenant: 'crew' });
    put('local', 'templates.d/a.json', { ...template, scope: 'host' });
    expect(read('system', 'local').templates).toEqual({ scope: 'host' });
    put('local', 'templates.d/a.json', { ...template, scope: 'host', spares: 16, spareSeconds: 604800 });
    expect(read('system', 'local').templates).toEqual({ scope: 'host', spares: 16, spareSeconds: 604800 });
    put('user', 'templates.d/a.json', { ...template, scope: 'off', spares: 0 });
    expect(read('system', 'local', 'user').templates).toEqual({ scope: 'off', spares: 0 });
  });

  it.each([
    [{ scope: 'all' }, 'scope'],
    [{}, 'scope'],
    [{ scope: 'tenant', tenant: '0' }, 'tenant'],
    [{ scope: 'tenant', tenant: '../host' }, 'tenant'],
    [{ scope: 'host', tenant: 'crew' }, 'scope host has no tenant'],
    [{ scope: 'host', spares: 17 }, 'spares: expected an integer from 0 to 16'],
    [{ scope: 'host', spares: -1 }, 'spares: expected an integer from 0 to 16'],
    [{ scope: 'host', spares: 0.5 }, 'spares: expected an integer'],
    [{ scope: 'host', spares: '1' }, 'spares: expected an integer'],
    [{ scope: 'host', spares: 1, spareSeconds: 0 }, 'spareSeconds: expected an integer from 1 to 604800'],
    [{ scope: 'host', spares: 1, spareSeconds: 604801 }, 'spareSeconds: expected an integer'],
    [{ scope: 'off', spares: 1 }, 'scope off has no spares'],
  ])('do not say of saved machines: %j', (settings, problem) => {
    put('local', 'templates.d/a.json', { rktKind: 'template', rktVersion: 'v1', ...settings });
    expect(() => read('local')).toThrow(problem);
  });

  it('override what is said of a registry as a whole, by whichever of its names', () => {
    const vendor = registry({
      registries: ['docker.io', 'LOCALHOST:5000'],
      mirrors: ['Mirror.example:5000'],
    });
    put('system', 'registries.d/a.json', vendor);
    put('local', 'registries.d/a.json', registry({ registries: ['index.docker.io'], insecure: ['tls'] }));
    const bare = { mirrors: [], insecure: new Set(), cosignKeys: [] };
    expect(Object.fromEntries(read('system', 'local').registries)).toEqual({
      'registry-1.docker.io': { ...bare, insecure: new Set(['tls']) },
      'localhost:5000': { ...bare, mirrors: ['mirror.example:5000'] },
    });
  });

  it('say where signatures of a registry are, and the keys', () => {
    const signed = { lookaside: 'https://signatures.example/a/', cosignKeys: ['/etc/rkt/cosign/team.pub'] };
    put('local', 'registries.d/a.json', registry({ registries: ['[::1]:5000'], ...signed }));
    expect(read('local').registries.get('[::1]:5000')).toMatchObject({
      ...signed,
      lookaside: 'https://signatures.example/a',
    });
  });

  it('know the names of Docker for credentials too', () => {
    put('local', 'auth.d/a.json', {
      rktKind: 'dockerAuth',
      rktVersion: 'v1',
      registries: ['index.docker.io', 'registry-1.docker.io', 'Quay.io'],
      credentials: { user: 'u', password: 'p' },
    });
    expect([...read('local').dockerAuth.keys()]).toEqual(['registry-1.docker.io', 'quay.io']);
  });

  it('gather files of container credentials, those of later layers first', () => {
    const files = (...paths: string[]) => ({ rktKind: 'containerAuth', rktVersion: 'v1', files: paths });
    put('system', 'auth.d/a.json', files('/a', '/b'));
    put('local', 'auth.d/a.json', files('/c', '/b'));
    expect(read('system', 'local').containerAuthFiles).toEqual(['/c', '/b', '/a']);
  });

  it('pass over what is no file of theirs', () => {
    put('local', 'paths.d/readme.txt', 'hello');
    put('local', 'paths.d/deeper.json/a.json', 'hello');
    put('elsewhere', 'a.json', 'hello');
    symlinkSync(join(root, 'elsewhere/a.json'), join(root, 'local/paths.d/link.json'));
    expect(read('local').dataDirectory).toBeUndefined();
  });
});

const broken: readonly (readonly [string, string, unknown, string])[] = [
  ['no JSON', 'paths.d/a.json', '{', 'a.json: not JSON'],
  ['an unknown kind', 'paths.d/a.json', { rktKind: 'rktcred', rktVersion: 'v1' }, 'rktKind: expected one of'],
  [
    'an unknown version',
    'paths.d/a.json',
    { rktKind: 'paths', rktVersion: 'v2' },
    'rktVersion: expected one of v1',
  ],
  [
    'a wrong place',
    'paths.d/a.json',
    basic('u', 'd'),
    'kind auth does not belong in paths.d, which holds paths',
  ],
  [
    'a relative path',
    'paths.d/a.json',
    { ...paths, data: 'data' },
    'data: expected an absolute path, got "data"',
  ],
  ['a name alone', 'stage1.d/a.json', { ...stage1, name: 'x' }, 'name and version are given both or neither'],
  [
    'a bad location',
    'stage1.d/a.json',
    { ...stage1, location: 'ftp://x' },
    'location: expected an absolute path or',
  ],
  ['no domain', 'auth.d/a.json', basic('u'), 'domains: must not be empty'],
  [
    'a registry with a path',
    'registries.d/a.json',
    registry({ registries: ['a.example/b'] }),
    'registries[0]: expected HOST[:PORT], got "a.example/b"',
  ],
  [
    'a mirror with a scheme',
    'registries.d/a.json',
    registry({ registries: ['a.example'], mirrors: ['https://b.example'] }),
    'mirrors[0]: expected HOST[:PORT]',
  ],
  ['a port too high', 'registries.d/a.json', registry({ registries: ['a.example:65536'] }), 'expected HOST'],
  [
    'an unknown way of being insecure',
    'registries.d/a.json',
    registry({ registries: ['a.example'], insecure: ['image'] }),
    'insecure[0]: expected one of tls, http',
  ],
  ...['http://a.example', 'file://a/b', 'https://u:p@a.example', 'https://a.example/?q', '/signatures'].map(
    (lookaside) =>
      [
        `signatures at ${lookaside}`,
        'registries.d/a.json',
        registry({ registries: ['a.example'], lookaside }),
        'lookaside: expected https://... or file:///...',
      ] as const,
  ),
  [
    'a key without a whole path',
    'registries.d/a.json',
    registry({ registries: ['a.example'], cosignKeys: ['team.pub'] }),
    'cosignKeys[0]: expected an absolute path',
  ],
  [
    'a credentials file without a whole path',
    'auth.d/a.json',
    { rktKind: 'containerAuth', rktVersion: 'v1', files: ['~/.docker/config.json'] },
    'files[0]: expected an absolute path',
  ],
  [
    'ids beyond the end',
    'vm.d/a.json',
    { rktKind: 'vm', rktVersion: 'v1', ids: { first: 4294967294, count: 2 } },
    'ids.count: expected an integer from 1 to 1',
  ],
  [
    'a word where there are two',
    'vm.d/a.json',
    { rktKind: 'vm', rktVersion: 'v1', verity: 'yes' },
    'verity: expected true or false',
  ],
  [
    'machines of which nothing is said',
    'vm.d/a.json',
    { rktKind: 'vm', rktVersion: 'v1' },
    'one of ids, rootfs, scratchSize and verity is needed',
  ],
  [
    'fewer ids than a pod has',
    'private-users.d/a.json',
    { rktKind: 'privateUsers', rktVersion: 'v1', ids: { first: 100000, count: 65535 } },
    'ids.count: expected an integer from 65536 to',
  ],
];

describe('a file is refused for', () => {
  it.each(broken)('%s', (_, file, content, message) => {
    put('local', file, content);
    expect(() => read('local')).toThrow(message);
  });

  it('saying again what another of its layer has said', () => {
    put('local', 'auth.d/a.json', basic('one', 'a.example'));
    put('local', 'auth.d/b.json', basic('two', 'a.example'));
    expect(() => read('local')).toThrow(/b\.json: auth domain "a.example" is already set in .*a\.json/);
  });

  it('saying again under another name of the same registry', () => {
    put('local', 'registries.d/a.json', registry({ registries: ['docker.io'] }));
    put('local', 'registries.d/b.json', registry({ registries: ['registry-1.docker.io'] }));
    expect(() => read('local')).toThrow(/registry "registry-1.docker.io" is already set in .*a\.json/);
  });

  it.each([
    [
      { first: 1879113727, count: 2 },
      undefined,
      'ids of kind vm (1879113727 to 1879113728) overlap ids of kind privateUsers (1879113728 to',
    ],
    [
      undefined,
      { first: 1879100000, count: 65536 },
      'ids of kind vm (1879048192 to 1879113727) overlap ids of kind privateUsers (1879100000 to',
    ],
    [{ first: 100, count: 10 }, { first: 100, count: 65536 }, 'ids of kind vm (100 to 109) overlap'],
    [
      { first: 2147352580, count: 1 },
      undefined,
      'ids of kind vm (2147352580 to 2147352580) overlap ids of files in volumes (2147352576 to',
    ],
    [
      undefined,
      { first: 2147300000, count: 65536 },
      'ids of kind privateUsers (2147300000 to 2147365535) overlap ids of files in volumes',
    ],
  ])('giving ids for two purposes: vm %j, privateUsers %j', (vm, privateUsers, message) => {
    if (vm) put('local', 'vm.d/a.json', { rktKind: 'vm', rktVersion: 'v1', ids: vm });
    if (privateUsers)
      put('user', 'private-users.d/a.json', { rktKind: 'privateUsers', rktVersion: 'v1', ids: privateUsers });
    expect(() => read('local', 'user')).toThrow(message);
  });

  it('never with the secrets in it', () => {
    put('local', 'auth.d/a.json', { ...basic('u', 'd'), credentials: { user: 'u', password: 1234567 } });
    expect(messageOf(() => read('local'))).toMatch(/a\.json: credentials\.password: expected a string$/);
    put('local', 'auth.d/a.json', '{"password": hunter2}');
    expect(messageOf(() => read('local'))).toMatch(/a\.json: not JSON/);
    expect(messageOf(() => read('local'))).not.toContain('hunter');
  });
});

/** The message with those of its causes. */
function messageOf(act: () => unknown): string {
  try {
    act();
    return '';
  } catch (error) {
    const messages: string[] = [];
    for (let cause = error; cause instanceof Error; cause = cause.cause) messages.push(cause.message);
    return messages.join(': ');
  }
}
