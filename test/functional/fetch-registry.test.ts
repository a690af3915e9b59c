import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CommandOptions, Finished } from '../support/command.ts';
import { tinyImages } from '../support/images.ts';
import { LayoutWriter } from '../support/layout-writer.ts';
import { TestRegistry } from '../support/registry.ts';
import { upload } from '../support/registry-upload.ts';
import { useRkt } from '../support/rkt.ts';
import { storeFiles } from '../support/store-files.ts';
import * as tar from '../support/tar-archive.ts';
import { treeListing } from '../support/tree-listing.ts';

// Against Debian's docker-registry as a company runs it: TLS by its own authority, and passwords. What is in it came from skopeo.

const LOGIN = { user: 'alice', password: 'correct horse' };
const rkt = useRkt();
let registry: TestRegistry;
let tiny = '';
/** `sha256-` and the digest of its configuration. */
let tinyId = '';
beforeAll(async () => {
  const { ociLayout } = await tinyImages();
  tiny = `oci:${ociLayout}:latest`;
  registry = await TestRegistry.start({ tls: true, login: LOGIN });
  await registry.push(tiny, 'team/tiny:1');
  await registry.push(tiny, 'team/tiny:latest');
  const config = await registry.inspect('team/tiny:1', ['--config', '--raw']);
  tinyId = `sha256-${createHash('sha256').update(config).digest('hex')}`;
  configure('company', dockerAuth(LOGIN));
});
afterAll(() => registry?.close());

const dockerAuth = (credentials: object) => ({
  rktKind: 'dockerAuth',
  rktVersion: 'v1',
  registries: [registry.address],
  credentials,
});

/** A layer of configuration with one file of credentials; gives its directory. */
function configure(name: string, content: object): string {
  const directory = rkt.path(name);
  mkdirSync(join(directory, 'auth.d'), { recursive: true });
  writeFileSync(join(directory, 'auth.d/credentials.json'), JSON.stringify(content));
  return directory;
}

function run(args: readonly string[], options: CommandOptions = {}): Promise<Finished> {
  const env = { SSL_CERT_FILE: registry.caPath ?? '', ...options.env };
  return rkt.run([`--user-config=${rkt.path('company')}`, ...args], { ...options, env });
}

/** In a store of its own, so that all of it is fetched; gives the id. */
async function fetchInto(store: string, image: string, flags: readonly string[] = []): Promise<string> {
  const { code, stdout, stderr } = await run([
    'fetch',
    '--full',
    `--dir=${rkt.path(store)}`,
    ...flags,
    image,
  ]);
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  return stdout.trimEnd();
}

async function renderedTree(store: string, image: string): Promise<string[]> {
  const directory = rkt.path(`tree-${store}`);
  await rkt.output([`--dir=${rkt.path(store)}`, 'image', 'render', '--rootfs-only', image, directory]);
  return treeListing(directory);
}

const digestOf = async (name: string) => (await registry.inspect(name, ['--format={{.Digest}}'])).trim();

describe('an image by every name that it has', () => {
  test.each([
    ['its tag', async () => `docker://${registry.address}/team/tiny:1`],
    ['its tag, without slashes', async () => `docker:${registry.address}/team/tiny:1`],
    ['the tag that is left out', async () => `docker://${registry.address}/team/tiny`],
    ['its digest', async () => `docker://${registry.address}/team/tiny@${await digestOf('team/tiny:1')}`],
    [
      'its digest, with a tag that it had once',
      async () => `docker://${registry.address}/team/tiny:old@${await digestOf('team/tiny:1')}`,
    ],
    ['a cimd URI', async () => `cimd:docker:v=0:${registry.address}/team/tiny:1`],
  ])('%s', async (_what, name) => {
    const image = await name();
    const { code, stdout } = await run(['fetch', image]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${tinyId.slice(0, 39)}\n` });
    // By the same word it is known to the commands that ask nobody.
    const manifest: unknown = JSON.parse(await rkt.output(['image', 'cat-manifest', image]));
    expect(manifest).toMatchObject({ name: expect.stringMatching(/team\/tiny$/) });
  });

  // Which Node is not told, for it would read the file whatever the command.
  test('by an authority that NODE_EXTRA_CA_CERTS names beside the others', async () => {
    const ask = (env: Record<string, string>) =>
      run(['fetch', '--pull-policy=update', `docker://${registry.address}/team/tiny:1`], { env });
    const others = { SSL_CERT_FILE: '' };
    expect(await ask(others)).toMatchObject({ code: 254 });
    const asked = await ask({ ...others, NODE_EXTRA_CA_CERTS: registry.caPath ?? '' });
    expect(asked).toMatchObject({ code: 0, stdout: `${tinyId.slice(0, 39)}\n` });
  });

  test('a name that says what it is called, and where it is from', async () => {
    const manifest: unknown = JSON.parse(await rkt.output(['image', 'cat-manifest', tinyId]));
    const annotation = (name: string, value: string) => ({ name: `appc.io/docker/${name}`, value });
    expect(manifest).toMatchObject({
      annotations: expect.arrayContaining([
        annotation('registryurl', registry.address),
        annotation('repository', 'team/tiny'),
        annotation('imageid', tinyId.replace('-', ':')),
        annotation('manifesthash', await digestOf('team/tiny:1')),
      ]),
    });
  });
});

describe('who asks is shown by', () => {
  const password = (user: string) => Buffer.from(`${user}:${LOGIN.password}`).toString('base64');
  const auths = () => ({ auths: { [registry.address]: { auth: password('alice') } } });
  const asked = (config: string, flags: readonly string[] = [], env: Record<string, string> = {}) =>
    run([`--user-config=${config}`, 'fetch', ...flags, `docker://${registry.address}/team/tiny:1`], { env });

  /** No configuration, in place of the company's. */
  const nothing = () => rkt.path('no-configuration');

  /** A helper as they are installed, on the PATH; gives that. */
  function installHelper(name: string, script: string): string {
    const bin = rkt.path(`bin-${name}`);
    mkdirSync(bin);
    writeFileSync(join(bin, `docker-credential-${name}`), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return `${bin}:/usr/sbin:/usr/bin:/sbin:/bin`;
  }

  test("rkt's own configuration", async () => {
    expect(await asked(configure('own', dockerAuth(LOGIN)))).toMatchObject({ code: 0 });
  });

  test('the files of other tools that it names', async () => {
    writeFileSync(rkt.path('auth.json'), JSON.stringify(auths()));
    const files = [rkt.path('absent.json'), rkt.path('auth.json')];
    const config = configure('files', { rktKind: 'containerAuth', rktVersion: 'v1', files });
    expect(await asked(config)).toMatchObject({ code: 0 });
  });

  test('a file for this command, of which the narrowest entry counts', async () => {
    const narrow = { auth: password('alice') };
    const wide = { auth: password('mallory') };
    const file = rkt.path('narrow.json');
    const entries = { [registry.address]: wide, [`${registry.address}/team`]: narrow };
    writeFileSync(file, JSON.stringify({ auths: entries }));
    expect(await asked(nothing(), [`--auth-file=${file}`])).toMatchObject({ code: 0 });
    writeFileSync(file, JSON.stringify({ auths: { [registry.address]: wide } }));
    expect(await asked(nothing(), [`--auth-file=${file}`])).toMatchObject({ code: 254 });
  });

  test('a credential helper, which is asked for this registry alone', async () => {
    const answer = JSON.stringify({ Username: LOGIN.user, Secret: LOGIN.password });
    const question = rkt.path('question');
    const PATH = installHelper('vault', `cat > ${question}\necho '${answer}'`);
    const file = rkt.path('helper.json');
    writeFileSync(file, JSON.stringify({ credHelpers: { [registry.address]: 'vault' } }));
    expect(await asked(nothing(), [`--auth-file=${file}`], { PATH })).toMatchObject({ code: 0 });
    expect(readFileSync(question, 'utf8')).toBe(registry.address);
  });

  test('a credential helper that fails says so, not what it knows', async () => {
    const PATH = installHelper('broken', 'echo locked; echo secret >&2; exit 3');
    const file = rkt.path('broken.json');
    writeFileSync(file, JSON.stringify({ credsStore: 'broken' }));
    const { code, stderr } = await asked(nothing(), [`--auth-file=${file}`], { PATH });
    expect(code).toBe(254);
    expect(stderr).toBe(
      `fetch: docker-credential-broken gave no credentials for ${registry.address}: exit code 3: locked\n`,
    );
  });

  test('nobody', async () => {
    const { code, stdout, stderr } = await asked(nothing(), [`--dir=${rkt.path('nobody')}`]);
    expect({ code, stdout }).toEqual({ code: 254, stdout: '' });
    expect(stderr).toMatch(
      /^fetch: .*: authentication required: bad HTTP status code: 401 \(UNAUTHORIZED: authentication required\)\n$/,
    );
  });

  test('a wrong password, which is not told', async () => {
    const config = configure('wrong', dockerAuth({ user: 'alice', password: 'wrong secret' }));
    const { code, stdout, stderr } = await asked(config, [`--dir=${rkt.path('nobody')}`]);
    expect({ code, stdout }).toEqual({ code: 254, stdout: '' });
    expect(stderr).toMatch(/^fetch: .*: the login is not accepted: bad HTTP status code: 401 .*\n$/);
    expect(stderr).not.toMatch(/wrong secret|alice/);
  });
});

describe('what is not there is named', () => {
  const missing = `sha256:${'0'.repeat(64)}`;
  test.each([
    [
      'a tag',
      'team/tiny:2',
      /manifest 2 of team\/tiny in 127\.0\.0\.1:\d+: not found: .*404 \(MANIFEST_UNKNOWN/,
    ],
    [
      'a repository',
      'team/none:1',
      /manifest 1 of team\/none in .*: not found: .*404 \((NAME|MANIFEST)_UNKNOWN/,
    ],
    ['a digest', `team/tiny@${missing}`, new RegExp(`manifest ${missing} of team/tiny in .*: not found`)],
  ])('%s', async (_what, name, message) => {
    const store = rkt.path('missing');
    const { code, stdout, stderr } = await run([
      `--dir=${store}`,
      'fetch',
      `docker://${registry.address}/${name}`,
    ]);
    expect({ code, stdout }).toEqual({ code: 254, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(storeFiles(store)).toEqual([]);
  });
});

describe('what was pushed is what is fetched', () => {
  let expected: readonly string[] = [];
  beforeAll(async () => {
    const id = await fetchInto('layout', tiny);
    expected = await renderedTree('layout', id);
    expect(expected.length).toBeGreaterThan(100);
  });

  test.each([
    ['OCI', ['--format=oci']],
    ["Docker's", ['--format=v2s2']],
    ['OCI with zstd', ['--dest-compress', '--dest-compress-format=zstd']],
  ])('in the format of %s', async (what, flags) => {
    const name = what.replaceAll(/\W/g, '').toLowerCase();
    await registry.push(tiny, `team/${name}:1`, flags);
    const id = await fetchInto(name, `docker://${registry.address}/team/${name}:1`);
    expect(await renderedTree(name, id)).toEqual(expected);
  });
});

describe('indexes', () => {
  const layer = (text: string) => tar.archive(tar.file('which', text));

  test('lead to the image for this machine, through another index if need be', async () => {
    const layout = new LayoutWriter(rkt.path('index'));
    const [amd64, arm64] = ['amd64', 'arm64'].map((architecture) =>
      layout.image({ layers: [layer(architecture)], architecture }),
    );
    if (amd64 === undefined || arm64 === undefined) throw new TypeError('two images');
    const index = layout.index([arm64, amd64]);
    await upload(registry, layout, index, 'team/index:flat');
    await upload(registry, layout, layout.index([index]), 'team/index:nested');
    const ids = [];
    for (const tag of ['flat', 'nested']) {
      ids.push(await fetchInto(tag, `docker://${registry.address}/team/index:${tag}`));
      const directory = rkt.path(`which-${tag}`);
      await rkt.output([
        `--dir=${rkt.path(tag)}`,
        'image',
        'render',
        '--rootfs-only',
        ids.at(-1) ?? '',
        directory,
      ]);
      expect(readFileSync(join(directory, 'which'), 'utf8')).toBe('amd64');
    }
    expect(ids[0]).toBe(ids[1]);
  });

  test('without an image for this machine are refused, naming both', async () => {
    const layout = new LayoutWriter(rkt.path('foreign'));
    const images = ['arm64', 's390x'].map((architecture) =>
      layout.image({ layers: [layer('x')], architecture }),
    );
    await upload(registry, layout, layout.index(images), 'team/foreign:index');
    const refused = await run(['fetch', `docker://${registry.address}/team/foreign:index`]);
    expect(refused).toMatchObject({ code: 254, stdout: '' });
    expect(refused.stderr).toMatch(
      /: no image for linux\/amd64, the index offers linux\/arm64, linux\/s390x\n$/,
    );
  });

  test('are not needed to find out that an image is for another machine', async () => {
    const layout = new LayoutWriter(rkt.path('foreign-alone'));
    const image = layout.image({ layers: [layer('x')], architecture: 'arm64' });
    await upload(registry, layout, image, 'team/foreign:alone');
    const refused = await run(['fetch', `docker://${registry.address}/team/foreign:alone`]);
    expect(refused).toMatchObject({ code: 254, stdout: '' });
    expect(refused.stderr).toMatch(/: the image is for linux\/arm64, not for linux\/amd64\n$/);
  });
});

test('an image of a registry runs in its own virtual machine, and is not fetched for that again', async () => {
  const image = `docker://${registry.address}/team/tiny:1`;
  const before = registry.requests().length;
  const { code, stdout, stderr } = await run(['run', '--net=none', image], { timeoutSeconds: 240 });
  expect({ code, stdout, stderr: code === 0 ? '' : stderr }).toEqual({
    code: 0,
    stdout: 'hello from the image\n',
    stderr: '',
  });
  expect(registry.requests().length).toBe(before);
  const [pod] = await rkt.list();
  expect(pod?.apps?.map((app) => app.image_id)).toEqual([tinyId]);
});
