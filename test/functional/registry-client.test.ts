import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDockerArchive } from '../../src/image/docker-archive.ts';
import { openHttpClient } from '../../src/image/http/client.ts';
import type { HttpClient } from '../../src/image/http/http.ts';
import { parseRegistryReference } from '../../src/image/registry/reference.ts';
import { openRegistry, type RegistryOptions } from '../../src/image/registry/registry.ts';
import type { OciSource } from '../../src/image/source.ts';
import { type Descriptor, type Manifest, readDocument } from '../../src/oci/index.ts';
import { writeLayout } from '../support/image-files.ts';
import { tinyImages } from '../support/images.ts';
import { TestRegistry } from '../support/registry.ts';
import { digestOf } from '../support/scripted-registry.ts';
import { archive, file } from '../support/tar-archive.ts';
import { tool } from '../support/tool.ts';

// Against Debian's docker-registry, as a company runs it: with TLS by its own authority, and passwords. What is in it came from skopeo.

const LOGIN = { user: 'alice', password: 'correct horse' };

let registry: TestRegistry;
let client: HttpClient;
let layout = '';
let scratch = '';
beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'rkt-registry-client-'));
  layout = (await tinyImages()).ociLayout;
  registry = await TestRegistry.start({ tls: true, login: LOGIN });
  client = openHttpClient({
    insecureTls: false,
    insecureHttp: false,
    environment: { SSL_CERT_FILE: registry.caPath },
  });
  await registry.push(`oci:${layout}:latest`, 'team/tiny:1');
});
afterAll(async () => {
  await client?.close();
  await registry?.close();
  rmSync(scratch, { recursive: true });
});

function open(name: string, options: Partial<RegistryOptions> = {}) {
  return openRegistry(parseRegistryReference(`${registry.address}/${name}`), {
    client,
    credentials: () => LOGIN,
    insecureHttp: false,
    ...options,
  });
}

async function manifestOf(source: OciSource): Promise<Manifest> {
  const { text, mediaType } = await source.root();
  const document = readDocument(text, mediaType);
  if (document.kind !== 'manifest') throw new TypeError(`not a manifest: ${text}`);
  return document;
}

/** A blob's bytes from an offset on; from the beginning they have its digest. */
async function read(source: OciSource, descriptor: Descriptor, offset = 0): Promise<Buffer> {
  const opened = await source.blob(descriptor).open(offset);
  expect(opened).toMatchObject({ offset, total: descriptor.size });
  const chunks: Uint8Array[] = [];
  for await (const chunk of opened.bytes) chunks.push(chunk);
  const content = Buffer.concat(chunks);
  if (offset === 0) expect(digestOf(content)).toBe(descriptor.digest);
  return content;
}

const digestSaid = async (name: string) => (await registry.inspect(name, ['--format={{.Digest}}'])).trim();

const refusal = (code: string, message: RegExp) =>
  expect.objectContaining({ name: 'ImageError', code, message: expect.stringMatching(message) });

test.each([
  ['as it is', [], 'gzip'],
  ["in Docker's format", ['--format=v2s2'], 'gzip'],
  ['with zstd', [], 'zstd'],
])('an image that skopeo has pushed %s', async (_how, flags, compression) => {
  const from = compression === 'zstd' ? zstdLayout() : `oci:${layout}:latest`;
  await registry.push(from, 'team/pushed:1', flags);
  const source = open('team/pushed:1');
  const root = await source.root();
  expect(root.digest).toBe(await digestSaid('team/pushed:1'));
  expect(await source.head()).toEqual({ digest: root.digest, mediaType: root.mediaType });
  const { config, layers } = await manifestOf(source);
  expect(JSON.parse((await read(source, config)).toString())).toMatchObject({ os: 'linux' });
  expect(layers.map((layer) => layer.compression)).toEqual([compression]);
  for (const layer of layers) {
    const whole = await read(source, layer);
    expect((await read(source, layer, 100)).equals(whole.subarray(100))).toBe(true);
  }
  const byDigest = await open(`team/pushed@${root.digest}`).root();
  expect(byDigest).toEqual(root);
});

/** skopeo pushes a layer as it is, if the registry does not have it otherwise compressed. */
function zstdLayout(): string {
  const layer = archive(file('hello', 'hello'.repeat(10_000)));
  const compress = (tar: Buffer) => ({
    blob: execFileSync('zstd', ['-qc'], { input: tar }),
    suffix: '+zstd',
  });
  return writeLayout(join(scratch, 'zstd'), [{ tar: layer, compress }]);
}

test('an index leads to an image for each platform', async () => {
  await registry.push(`oci:${writeIndex(join(scratch, 'index'))}:all`, 'team/index:1', ['--all']);
  const source = open('team/index:1');
  const root = await source.root();
  expect(root.digest).toBe(await digestSaid('team/index:1'));
  const index = readDocument(root.text, root.mediaType);
  const manifests = index.kind === 'index' ? index.manifests : [];
  expect(manifests.map(({ platform }) => platform?.architecture)).toEqual(['amd64', 'arm64']);
  for (const descriptor of manifests) {
    const text = await source.document(descriptor);
    expect(digestOf(text)).toBe(descriptor.digest);
    const manifest = readDocument(text, descriptor.mediaType);
    const config = manifest.kind === 'manifest' ? await read(source, manifest.config) : '';
    expect(JSON.parse(config.toString())).toMatchObject({
      architecture: descriptor.platform?.architecture,
    });
  }
});

/** A layout with one tag, `all`, for two platforms without a layer. */
function writeIndex(directory: string): string {
  const type = (name: string) => `application/vnd.oci.image.${name}.v1+json`;
  mkdirSync(join(directory, 'blobs/sha256'), { recursive: true });
  const write = (mediaType: string, content: object) => {
    const text = JSON.stringify(content);
    const digest = digestOf(text);
    writeFileSync(join(directory, 'blobs/sha256', digest.slice('sha256:'.length)), text);
    return { mediaType, digest, size: text.length };
  };
  const manifests = ['amd64', 'arm64'].map((architecture) => {
    const rootfs = { type: 'layers', diff_ids: [] };
    const config = write(type('config'), { architecture, os: 'linux', rootfs });
    const manifest = { schemaVersion: 2, mediaType: type('manifest'), config, layers: [] };
    return { ...write(type('manifest'), manifest), platform: { architecture, os: 'linux' } };
  });
  const index = write(type('index'), { schemaVersion: 2, mediaType: type('index'), manifests });
  const annotations = { 'org.opencontainers.image.ref.name': 'all' };
  const top = { schemaVersion: 2, manifests: [{ ...index, annotations }] };
  writeFileSync(join(directory, 'index.json'), JSON.stringify(top));
  writeFileSync(join(directory, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  return directory;
}

test('what the registry refuses, in words', async () => {
  const wrong = { credentials: () => ({ ...LOGIN, password: 'wrong secret' }) };
  const nobody = { credentials: () => undefined };
  const refused = open('team/tiny:1', wrong).root();
  await expect(refused).rejects.toEqual(
    refusal('unauthorized', /the login is not accepted: bad HTTP status code: 401/),
  );
  await expect(refused).rejects.not.toThrow(/wrong secret/);
  await expect(open('team/tiny:1', nobody).root()).rejects.toEqual(
    refusal(
      'unauthorized',
      /authentication required: bad HTTP status code: 401 \(UNAUTHORIZED: authentication required\)$/,
    ),
  );
  await expect(open('team/tiny:2').root()).rejects.toEqual(
    refusal(
      'not-found',
      /^manifest 2 of team\/tiny in \S+: not found: bad HTTP status code: 404 \(MANIFEST_UNKNOWN: manifest unknown\)$/,
    ),
  );
  await expect(open('team/other').root()).rejects.toMatchObject({ code: 'not-found' });
  await expect(open('team/other').head()).rejects.toMatchObject({ code: 'not-found' });
  expect(await open('team/tiny:1').manifestOf(`sha256-${'0'.repeat(64)}.sig`)).toBeUndefined();
});

test('a registry whose authority nobody has named is not spoken to', async () => {
  const stranger = openHttpClient({ insecureTls: false, insecureHttp: false, environment: {} });
  try {
    const before = registry.requests().length;
    await expect(open('team/tiny:1', { client: stranger }).root()).rejects.toEqual(
      refusal('insecure', /the certificate is not signed by an authority that is trusted here/),
    );
    expect(registry.requests()).toHaveLength(before);
  } finally {
    await stranger.close();
  }
});

test('a mirror that lacks an image, or has it, and a registry without TLS', async () => {
  await using mirror = await TestRegistry.start();
  const events: unknown[] = [];
  const plain = openHttpClient({
    insecureTls: false,
    insecureHttp: true,
    environment: { SSL_CERT_FILE: registry.caPath },
  });
  const options = {
    client: plain,
    mirrors: [mirror.address],
    insecureHttp: true,
    report: (event: unknown) => void events.push(event),
  };
  try {
    const digest = await digestSaid('team/tiny:1');
    expect((await open('team/tiny:1', options).root()).digest).toBe(digest);
    expect(events).toMatchObject([{ kind: 'passed-over', what: `mirror ${mirror.address}` }]);

    await mirror.push(`oci:${layout}:latest`, 'team/tiny:1');
    const before = registry.requests().length;
    const source = open('team/tiny:1', options);
    expect((await source.root()).digest).toBe(digest);
    const { config, layers } = await manifestOf(source);
    for (const blob of [config, ...layers]) await read(source, blob);
    expect(registry.requests()).toHaveLength(before);
    expect(events).toHaveLength(1);
  } finally {
    await plain.close();
  }
});

test('what skopeo saves for Docker is the image that it pushes', async () => {
  const path = join(scratch, 'saved.tar');
  const copy = ['--insecure-policy', 'copy', '-q', `oci:${layout}:latest`];
  await tool('skopeo', [...copy, `docker-archive:${path}:example.com/team/tiny:1`]);
  const pushed = await manifestOf(open('team/tiny:1'));
  for (const tag of [undefined, 'example.com/team/tiny:1']) {
    using archive = await openDockerArchive(path, tag, scratch);
    const saved = await manifestOf(archive);
    expect(saved.config.digest).toBe(pushed.config.digest);
    for (const layer of saved.layers) await read(archive, layer);
  }
  await tool('gzip', [path]);
  using archive = await openDockerArchive(`${path}.gz`, undefined, scratch);
  const saved = await manifestOf(archive);
  for (const layer of saved.layers) expect(await read(archive, layer)).toHaveLength(layer.size);
});
