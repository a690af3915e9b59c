import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FLAVOURS } from '../support/flavours.ts';
import { GpgHome } from '../support/gpg.ts';
import { tinyImages } from '../support/images.ts';
import { TestRegistry } from '../support/registry.ts';
import { useRkt } from '../support/rkt.ts';
import { tool } from '../support/tool.ts';

// What fetch is told of images, those understand who make pods of them.

const LOGIN = { user: 'alice', password: 'correct horse' };
const rkt = useRkt();
const gpg = new GpgHome();
let registry: TestRegistry;
let aci = '';
/** An image, and the same with another configuration, as OCI layouts with their tags. */
let versions: readonly string[] = [];
let authFile = '';
beforeAll(async () => {
  const images = await tinyImages();
  aci = images.aci.plain;
  const changed = rkt.path('changed');
  await tool('skopeo', ['copy', '-q', `oci:${images.ociLayout}:latest`, `oci:${changed}:latest`]);
  await tool('umoci', ['config', '--image', `${changed}:latest`, '--config.env=CHANGED=yes']);
  versions = [`oci:${images.ociLayout}:latest`, `oci:${changed}:latest`];
  registry = await TestRegistry.start({ login: LOGIN });
  authFile = rkt.path('auth.json');
  const auth = Buffer.from(`${LOGIN.user}:${LOGIN.password}`).toString('base64');
  writeFileSync(authFile, JSON.stringify({ auths: { [registry.address]: { auth } } }));
});
afterAll(async () => {
  await registry?.close();
  gpg[Symbol.dispose]();
});

const HTTP = '--insecure-options=image,http';
const push = (version: number, name: string) => registry.push(versions[version] ?? '', name);

/** Makes what a command makes of an image, and gives the id of the image that it took. */
const COMMANDS: Readonly<
  Record<string, (flags: readonly string[], image: readonly string[]) => Promise<string>>
> = {
  fetch: async (flags, image) => (await rkt.output(['fetch', '--full', ...flags, ...image])).trim(),
  prepare: async (flags, image) => idOf((await rkt.output(['prepare', ...flags, ...image])).trim()),
  run: async (flags, image) => {
    const args = ['--net=none', '--detach', ...flags, ...image, '--exec=/bin/true'];
    return idOf((await rkt.output(['run', ...args])).trim());
  },
};

async function idOf(uuid: string): Promise<string> {
  return JSON.parse(await rkt.output(['cat-manifest', uuid])).apps[0].image.id;
}

async function refusal(command: string, flags: readonly string[], image: readonly string[]): Promise<string> {
  const net = command === 'run' ? ['--net=none'] : [];
  const { code, stdout, stderr } = await rkt.run([command, ...net, ...flags, ...image], { insecure: 'none' });
  expect({ code, stdout }).toEqual({ code: 254, stdout: '' });
  return stderr;
}

describe.each(Object.entries(COMMANDS))('%s', (command, take) => {
  test('--auth-file', async () => {
    const name = `${command}/guarded:1`;
    await push(0, name);
    const image = [`docker://${registry.address}/${name}`];
    expect(await refusal(command, [HTTP], image)).toMatch(/401|login/);
    expect(await take([HTTP, `--auth-file=${authFile}`], image)).toMatch(/^sha256-[0-9a-f]{64}$/);
  });

  test('--no-store and --pull-policy=update look again, --store-only and --pull-policy=never do not look at all', async () => {
    const name = `${command}/moved:1`;
    const [auth, image] = [`--auth-file=${authFile}`, [`docker://${registry.address}/${name}`]];
    await push(0, name);
    for (const flags of [['--store-only'], ['--pull-policy=never']])
      expect(await refusal(command, [HTTP, auth, ...flags], image)).toMatch(
        /not in the store|no image|not found/i,
      );
    const first = await take([HTTP, auth, '--no-store'], image);
    await push(1, name);
    for (const flags of [['--store-only'], ['--pull-policy=never'], ['--pull-policy=new']])
      expect(await take([HTTP, auth, ...flags], image)).toBe(first);
    const second = await take([HTTP, auth, '--no-store'], image);
    expect(second).not.toBe(first);
    await push(0, name);
    expect(await take([HTTP, auth, '--pull-policy=update'], image)).toBe(first);
  });

  test('--signature of an image', async () => {
    const key = await gpg.makeKey(`Signer for ${command} <release@example.com>`, 'ed25519');
    const [path, signature, keyFile] = [`${command}.aci`, `${command}.sig`, `${command}.pub`].map((file) =>
      rkt.path(file),
    ) as [string, string, string];
    copyFileSync(aci, path);
    writeFileSync(signature, await gpg.signDetached(readFileSync(aci), { by: [key], armor: false }));
    expect(await refusal(command, [], [path, `--signature=${signature}`])).toMatch(/signature|key/);
    writeFileSync(keyFile, await gpg.exportKeys([key]));
    await rkt.output(['trust', '--prefix=example.com/tiny', '--skip-fingerprint-review', keyFile]);
    expect(await refusal(command, [], [path])).toMatch(/signature|\.asc/);
    const flags = ['--insecure-options=none'];
    expect(await take(flags, [path, `--signature=${signature}`])).toMatch(/^sha512-[0-9a-f]{64}$/);
  });
});

describe.each(FLAVOURS)('$name', (flavour) => {
  test('prepare --stage1-from-dir and --stage1-url', async () => {
    const stage1Of = async (flag: string) => {
      const uuid = (await rkt.output(['prepare', flag, aci])).trim();
      return readFileSync(join(rkt.dir, 'pods/prepared', uuid, 'stage1TreeStoreID'), 'utf8').trim();
    };
    const hash = await stage1Of(`--stage1-path=${flavour.image}`);
    expect(await stage1Of(`--stage1-from-dir=${flavour.name}.aci`)).toBe(hash);
    expect(await stage1Of(`--stage1-url=file://${flavour.image}`)).toBe(hash);
    const absent = await rkt.run(['prepare', '--stage1-from-dir=absent.aci', aci]);
    expect(absent).toMatchObject({ code: 254, stderr: expect.stringMatching(/absent\.aci/) });
  });
});

test('a health check is kept in the manifest of a prepared pod', async () => {
  const flags = [
    ...['--health-cmd=test -e "/tmp/well done"', '--health-interval=7s', '--health-timeout=3s'],
    ...['--health-retries=4', '--health-start-period=1m'],
  ];
  const uuid = (await rkt.output(['prepare', aci, ...flags])).trim();
  const { apps } = JSON.parse(await rkt.output(['cat-manifest', uuid]));
  const found = apps[0].annotations.find(
    ({ name }: { name: string }) => name === 'coreos.com/rkt/app/health',
  );
  expect(JSON.parse(found.value)).toMatchObject({
    ...{ interval: 7000, timeout: 3000, retries: 4, startPeriod: 60_000 },
  });
  expect(found.value).toContain('well done');
});

test('status and cat-manifest take the UUID from a file', async () => {
  const uuid = (await rkt.output(['prepare', aci])).trim();
  const file = rkt.path('uuid');
  writeFileSync(file, `${uuid}\n`);
  expect(await rkt.output(['status', `--uuid-file=${file}`])).toBe(await rkt.output(['status', uuid]));
  const manifest = await rkt.output(['cat-manifest', `--uuid-file=${file}`]);
  expect(manifest).toBe(await rkt.output(['cat-manifest', uuid]));
  for (const command of ['status', 'cat-manifest'])
    expect(await rkt.run([command, `--uuid-file=${file}.none`])).toMatchObject({
      code: 254,
      stderr: expect.stringContaining(`unable to read the UUID from ${file}.none`),
    });
});
