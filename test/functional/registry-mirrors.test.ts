import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Certificate, TestAuthority } from '../support/certificates.ts';
import { LayoutWriter, type Written } from '../support/layout-writer.ts';
import { passedOn, type Transfer } from '../support/passed-on.ts';
import { TestRegistry } from '../support/registry.ts';
import { upload } from '../support/registry-upload.ts';
import { useRkt } from '../support/rkt.ts';
import { answering, ScriptedServer } from '../support/scripted-server.ts';
import * as tar from '../support/tar-archive.ts';

// What the configuration says of a registry: its mirrors, which may be missing, broken or lying, and what it may go without.

const NAME = 'team/app:1';
const rkt = useRkt();
let certificate: Certificate;
let caPath = '';
let [registry, mirror]: [TestRegistry | undefined, TestRegistry | undefined] = [undefined, undefined];
/** Either, behind TLS. */
let [main, copy]: [ScriptedServer | undefined, ScriptedServer | undefined] = [undefined, undefined];
let layout: LayoutWriter;
let image: Written;
beforeAll(async () => {
  mkdirSync(rkt.path('authority'));
  const authority = await TestAuthority.create(rkt.path('authority'));
  certificate = await authority.issue('registry');
  caPath = authority.caPath;
  registry = await TestRegistry.start();
  mirror = await TestRegistry.start();
  main = await ScriptedServer.start(passedOn(registry.address), certificate);
  copy = await ScriptedServer.start(passedOn(mirror.address), certificate);
  layout = new LayoutWriter(rkt.path('layout'));
  const layers = ['one', 'two'].map((text) => tar.archive(tar.file(text, text.repeat(10_000))));
  image = layout.image({ layers });
  for (const each of [registry, mirror]) await upload(each, layout, image, NAME);
});
afterAll(async () => {
  for (const server of [main, copy, registry, mirror]) await server?.close();
});

const address = (server: { readonly address: string } | undefined) => server?.address ?? '';

let stores = 0;
/** Fetches from a registry that is configured so, into a store of its own. */
async function fetchFrom(
  server: { readonly address: string } | undefined,
  config: object,
  name = NAME,
  flags: readonly string[] = [],
) {
  const directory = rkt.path(`store-${++stores}`);
  mkdirSync(join(directory, 'registries.d'), { recursive: true });
  const content = { rktKind: 'registry', rktVersion: 'v1', registries: [address(server)], ...config };
  writeFileSync(join(directory, 'registries.d/registry.json'), JSON.stringify(content));
  const options = [`--user-config=${directory}`, `--dir=${directory}`, ...flags];
  const { code, stdout, stderr } = await rkt.run(
    ['fetch', ...options, `docker://${address(server)}/${name}`],
    {
      env: { SSL_CERT_FILE: caPath },
    },
  );
  return { code, stdout, stderr, directory };
}

const asked = (server: ScriptedServer | undefined) => server?.requests.length ?? 0;
const rendered = async (directory: string) => {
  const tree = join(directory, 'tree');
  const [id = ''] = (
    await rkt.output([`--dir=${directory}`, 'image', 'list', '--fields=id', '--no-legend'])
  ).split('\n');
  await rkt.output([`--dir=${directory}`, 'image', 'render', '--rootfs-only', id, tree]);
  return ['one', 'two'].map((text) => readFileSync(join(tree, text), 'utf8').slice(0, 3));
};

describe('a mirror', () => {
  test('is asked instead of the registry', async () => {
    const before = asked(main);
    const fetched = await fetchFrom(main, { mirrors: [address(copy)] });
    expect(fetched).toMatchObject({ code: 0, stderr: expect.not.stringContaining('mirror') });
    expect(asked(main)).toBe(before);
    expect(await rendered(fetched.directory)).toEqual(['one', 'two']);
  });

  const broken: Record<string, () => Promise<Pick<ScriptedServer, 'address' | 'close'>>> = {
    'has no such image': async () => ScriptedServer.start(answering(404), certificate),
    fails: async () => ScriptedServer.start(answering(500), certificate),
    'asks for a password': async () =>
      ScriptedServer.start(answering(401, { 'www-authenticate': 'Basic realm="x"' }), certificate),
    'speaks no TLS': async () => ScriptedServer.start(answering(200)),
    // A port that nobody is given.
    'is not there': async () => ({ address: '127.0.0.1:1', close: async () => {} }),
  };
  test.each(Object.keys(broken))('that %s is passed over', async (how) => {
    const server = await broken[how]?.();
    try {
      const fetched = await fetchFrom(main, { mirrors: [address(server), address(copy)] });
      expect(fetched.code).toBe(0);
      expect(fetched.stderr).toMatch(
        new RegExp(`^image: mirror ${address(server)}: .*, trying the next$`, 'm'),
      );
      expect(await rendered(fetched.directory)).toEqual(['one', 'two']);
    } finally {
      await server?.close();
    }
  });

  /** The mirror, with another content of what is asked for like this. */
  const lying = (path: RegExp, change: (bytes: Buffer) => Buffer) => {
    const transfer: Transfer = async function* (request, body) {
      const chunks: Uint8Array[] = [];
      for await (const chunk of body) chunks.push(chunk);
      const bytes = Buffer.concat(chunks);
      yield path.test(request.path) ? change(bytes) : bytes;
    };
    return ScriptedServer.start(passedOn(address(mirror), transfer), certificate);
  };
  const flipped = (bytes: Buffer) => {
    const other = Buffer.from(bytes);
    other[other.length >> 1] = (other[other.length >> 1] ?? 0) ^ 1;
    return other;
  };

  const zeroed = (bytes: Buffer) => Buffer.alloc(bytes.length);
  const longer = (bytes: Buffer) => Buffer.concat([bytes, bytes]);
  const shorter = (bytes: Buffer) => bytes.subarray(1);
  const digests = () => parseManifest(layout.read(image));
  const manifest = () => /\/manifests\//;
  const config = () => new RegExp(`/blobs/${digests().config.digest}`);
  const layer = () => new RegExp(`/blobs/${digests().layers[0]?.digest}`);

  test.each<[string, () => RegExp, (bytes: Buffer) => Buffer]>([
    ['another manifest for a digest', manifest, flipped],
    ['another configuration', config, flipped],
    ['a longer configuration', config, longer],
    ['a layer with another bit', layer, flipped],
    ['a layer that is none', layer, zeroed],
    ['a longer layer', layer, longer],
    ['a shorter layer', layer, shorter],
  ])('that sends %s is not believed, and its registry asked', async (_what, path, change) => {
    await using liar = await lying(path(), change);
    const name = `team/app@${image.digest}`;
    const { code, stderr, directory } = await fetchFrom(main, { mirrors: [address(liar)] }, name);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringMatching(new RegExp(`^image: mirror ${address(liar)}: .*, trying the next$`, 'm')),
    });
    expect(await rendered(directory)).toEqual(['one', 'two']);
    expect(readdirSync(join(directory, 'cas/partial'))).toEqual([]);
  });

  test('is not to blame for what the registry sends wrong itself', async () => {
    await using liar = await lying(layer(), flipped);
    const { code, stdout, stderr, directory } = await fetchFrom(liar, {});
    expect({ code, stdout }).toEqual({ code: 254, stdout: '' });
    expect(stderr.split('\n').filter((line) => line.startsWith('fetch: '))).toEqual([
      expect.stringMatching(/layer|blob/),
    ]);
    for (const kept of ['image', 'layer', 'partial', 'tmp', 'remote'])
      expect(readdirSync(join(directory, 'cas', kept))).toEqual([]);
  });
});

describe('what a registry may go without', () => {
  const httpRefused = /^fetch: .*--insecure-options=http/;
  const tlsRefused = /^fetch: .*--insecure-options=tls/;

  test('is plain http, if its configuration says so, and then not for another registry', async () => {
    expect(await fetchFrom(registry, { insecure: ['http'] })).toMatchObject({ code: 0 });
    const other = { registries: [address(mirror)], insecure: ['http'] };
    const refused = await fetchFrom(registry, other);
    expect(refused).toMatchObject({ code: 254, stdout: '', stderr: expect.stringMatching(httpRefused) });
    expect(await fetchFrom(registry, other, NAME, ['--insecure-options=image,http'])).toMatchObject({
      code: 0,
    });
  });

  test('is a certificate that somebody vouches for', async () => {
    mkdirSync(rkt.path('stranger'));
    const stranger = await TestAuthority.create(rkt.path('stranger'));
    const certified = await stranger.issue('registry');
    await using server = await ScriptedServer.start(passedOn(address(registry)), certified);
    const refused = await fetchFrom(server, {});
    expect(refused).toMatchObject({ code: 254, stdout: '', stderr: expect.stringMatching(tlsRefused) });
    expect(server.requests).toEqual([]);
    expect(await fetchFrom(server, { insecure: ['tls'] })).toMatchObject({ code: 0 });
  });
});

interface Manifest {
  readonly config: { readonly digest: string };
  readonly layers: readonly { readonly digest: string }[];
}

function parseManifest(text: Buffer): Manifest {
  const manifest: unknown = JSON.parse(text.toString());
  return manifest as Manifest;
}
