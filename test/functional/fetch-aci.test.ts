import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { useFetchBench } from '../support/fetch-bench.ts';
import { aciOf } from '../support/image-files.ts';
import { breakAfter, stallAfter } from '../support/image-site.ts';
import { eventually } from '../support/polling.ts';
import * as tar from '../support/tar-archive.ts';

// ACIs from servers, as rkt's users fetch them: what is asked when, and what becomes of connections that break.

const bench = useFetchBench(['example.com', 'cdn.example.com']);
const { gpg, site } = bench;
const URL_OF_APP = 'https://example.com/app.aci';
const unsigned = { insecure: 'image' };
beforeEach(() => site.clear());

const image = (content: string | Buffer) =>
  aciOf({ name: 'example.com/app' }, tar.file('rootfs/app', content));

describe('whether a server is asked', () => {
  /** What `--debug fetch` says of where the image is from, and what the server was asked meanwhile. */
  async function fetched(store: string, ...args: readonly string[]) {
    const before = site.log.length;
    const { code, stdout, stderr } = await bench.run(['--debug', 'fetch', '--full', ...args, URL_OF_APP], {
      store,
      ...unsigned,
    });
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    const said = stderr.split('\n').filter((line) => !/^(image: have .*)?$/.test(line));
    return { id: stdout.trimEnd(), said, asked: site.log.slice(before) };
  }
  const DOWNLOAD = [
    `image: remote fetching from URL "${URL_OF_APP}"`,
    `image: fetching image from ${URL_OF_APP}`,
  ];
  const STORED = `image: using image from local store for image name ${URL_OF_APP}`;

  test('never: not at all', async () => {
    site.put('/app.aci', image('1'));
    const options = { store: 'never', ...unsigned };
    expect(await bench.refusal(['--pull-policy=never', URL_OF_APP], options)).toMatch(
      /^fetch: image https:\/\/example\.com\/app\.aci: no image of https:\/\/example\.com\/app\.aci in the store, and the pull policy is never$/m,
    );
    expect(site.log).toEqual([]);
    const { id } = await fetched('never');
    expect(await fetched('never', '--pull-policy=never')).toEqual({ id, said: [STORED], asked: [] });
    expect(await fetched('never', '--store-only')).toMatchObject({ id, asked: [] });
  });

  test('new: once', async () => {
    site.put('/app.aci', image('1'));
    const first = await fetched('new', '--pull-policy=new');
    expect(first.said.slice(0, 2)).toEqual(DOWNLOAD);
    expect(first.asked).toEqual(['GET /app.aci 200']);
    site.put('/app.aci', image('2'));
    expect(await fetched('new', '--pull-policy=new')).toEqual({ id: first.id, said: [STORED], asked: [] });
  });

  test('update: not while its last answer holds', async () => {
    site.put('/app.aci', { content: image('1'), etag: '"1"', cacheControl: 'max-age=1' });
    const { id } = await fetched('max-age');
    const told = Date.now();
    site.put('/app.aci', { content: image('2'), etag: '"2"', cacheControl: 'max-age=3600' });
    await eventually('it has expired', () => Date.now() - told > 2500);
    const other = await fetched('max-age');
    expect(other.id).not.toBe(id);
    site.put('/app.aci', { content: image('3'), etag: '"3"' });
    const FRESH = `image: image for ${URL_OF_APP} isn't expired, not fetching.`;
    for (const flags of [['--pull-policy=update'], []])
      expect(await fetched('max-age', ...flags)).toEqual({ id: other.id, said: [FRESH, STORED], asked: [] });
  });

  test('update: only whether the image is the same, where it has an ETag', async () => {
    site.put('/app.aci', { content: image('1'), etag: '"1"', cacheControl: 'no-cache' });
    const { id, asked } = await fetched('etag');
    expect(asked).toEqual(['GET /app.aci 200']);
    expect(await fetched('etag')).toEqual({ id, said: [STORED], asked: ['GET /app.aci 304'] });
    site.put('/app.aci', { content: image('2'), etag: '"2"' });
    const other = await fetched('etag');
    expect(other.asked).toEqual(['GET /app.aci 200']);
    expect(other.said.slice(0, 2)).toEqual(DOWNLOAD);
    expect(other.id).not.toBe(id);
  });

  test('update: for all of it, where nothing is known of it', async () => {
    site.put('/app.aci', image('1'));
    for (let round = 0; round < 2; round++)
      expect((await fetched('unknown')).asked).toEqual(['GET /app.aci 200']);
  });

  test('update: for all of it, where the image is not there any more', async () => {
    site.put('/app.aci', { content: image('1'), etag: '"1"', cacheControl: 'max-age=3600' });
    const { id } = await fetched('removed');
    const { code } = await bench.run(['image', 'rm', id], { store: 'removed' });
    expect(code).toBe(0);
    expect(await fetched('removed')).toMatchObject({ id, asked: ['GET /app.aci 200'] });
  });

  test('as well where it was not verified and now must be', async () => {
    const key = await gpg.makeKey('Release', 'ed25519');
    await bench.trust(key, '--root');
    site.put('/app.aci', { content: image('1'), etag: '"1"', cacheControl: 'max-age=3600' });
    const { id } = await fetched('verified');
    const store = 'verified';
    const { code, stderr } = await bench.run(['fetch', URL_OF_APP], { store });
    expect({ code, stderr }).toEqual({
      code: 254,
      stderr: expect.stringMatching(/error downloading the signature file: .*404$/m),
    });
    site.put('/app.aci.asc', await gpg.signDetached(image('1'), { by: [key] }));
    expect(await bench.fetch([URL_OF_APP], { store })).toBe(id);
    const asked = site.log.length;
    // And that is remembered.
    expect(await bench.fetch([URL_OF_APP], { store })).toBe(id);
    expect(site.log.length).toBe(asked);
  });
});

describe('a signature that is deferred', () => {
  test('is asked for again when the image has come', async () => {
    const key = await gpg.makeKey('Busy', 'ed25519');
    await bench.trust(key, '--root');
    const signature = await gpg.signDetached(image('1'), { by: [key] });
    site.put('/app.aci', image('1'));
    site.put('/app.aci.asc', (_request, response) => {
      const isFetched = site.log.includes('GET /app.aci 200');
      if (isFetched) response.end(signature);
      else response.writeHead(202).end();
    });
    const { code, stderr } = await bench.run(['--debug', 'fetch', URL_OF_APP], { store: 'deferred' });
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringContaining('image: server requested deferring the signature download\n'),
    });
    expect(stderr).toContain('image: signature verified:\n');
    expect(site.log).toEqual(['GET /app.aci.asc 202', 'GET /app.aci 200', 'GET /app.aci.asc 200']);
  });
});

describe('a connection', () => {
  /** Does not fit into what a connection has in flight. */
  const CONTENT = image(randomBytes(8 * 1024 ** 2));
  const PART = 5 * 1024 ** 2;
  let id = '';
  beforeAll(async () => {
    site.put('/app.aci', CONTENT);
    id = await bench.fetch([URL_OF_APP], { store: 'whole', ...unsigned });
  });

  /** How much has come of what is being fetched. */
  const partialSize = (store: string) => Math.max(0, ...bench.partials(store).map(({ size }) => size));

  /** Kills a fetch when this much has come. */
  async function killedAt(store: string, size: number): Promise<void> {
    const command = bench.start(['fetch', URL_OF_APP], { store, ...unsigned });
    await eventually(`${size} bytes have come`, () => partialSize(store) >= size);
    command.signal('SIGKILL');
    await command.finished;
    site.log.length = 0;
  }

  test('that breaks is made anew, and goes on where it broke', async () => {
    const faults = [breakAfter(PART), breakAfter(1000)];
    site.put('/app.aci', { content: CONTENT, etag: '"1"', faults });
    const { code, stdout, stderr } = await bench.run(['fetch', '--full', URL_OF_APP], {
      store: 'broken',
      ...unsigned,
    });
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${id}\n` });
    expect(stderr).toMatch(
      /^image: https:\/\/example\.com\/app\.aci: .*the connection broke off, trying again in /m,
    );
    expect(site.log).toEqual([
      'GET /app.aci 200',
      expect.stringMatching(/^GET \/app\.aci 206 bytes=\d{6,}- if "1"$/),
      expect.stringMatching(/^GET \/app\.aci 206 bytes=\d{6,}- if "1"$/),
    ]);
  });

  test('begins anew where the server cannot go on', async () => {
    site.put('/app.aci', { content: CONTENT, faults: [breakAfter(PART)] });
    expect(await bench.fetch([URL_OF_APP], { store: 'anew', ...unsigned })).toBe(id);
    expect(site.log).toEqual(['GET /app.aci 200', 'GET /app.aci 200']);
  });

  test('that brings nothing, again and again, is given up; what had come stays', async () => {
    const faults = [PART, 0, 0, 0, 0, 0].map(breakAfter);
    site.put('/app.aci', { content: CONTENT, etag: '"1"', faults });
    const { code, stderr } = await bench.run(['fetch', URL_OF_APP], { store: 'hopeless', ...unsigned });
    expect({ code, stderr }).toEqual({
      code: 254,
      stderr: expect.stringMatching(/^fetch: .*the connection broke off/m),
    });
    expect(partialSize('hopeless')).toBeGreaterThan(0);
    site.log.length = 0;
    expect(await bench.fetch([URL_OF_APP], { store: 'hopeless', ...unsigned })).toBe(id);
    expect(site.log).toEqual([expect.stringMatching(/^GET \/app\.aci 206 bytes=\d+- if "1"$/)]);
  });

  test('of a fetch that was killed is gone on with by the next', async () => {
    site.put('/app.aci', { content: CONTENT, etag: '"1"', faults: [stallAfter(PART)] });
    await killedAt('killed', PART);
    const had = partialSize('killed');
    const { code, stdout, stderr } = await bench.run(['fetch', '--full', URL_OF_APP], {
      store: 'killed',
      ...unsigned,
    });
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${id}\n` });
    expect(stderr).toMatch(
      /^image: downloading https:\/\/example\.com\/app\.aci, 8\.\dMiB, from \d\.\dMiB on$/m,
    );
    expect(site.log).toEqual([`GET /app.aci 206 bytes=${had}- if "1"`]);
    expect(bench.partials('killed')).toEqual([]);
  });

  test.each([
    ['another image', { content: image('another'), etag: '"2"' }],
    ['no ETag any more', { content: image('another') }],
  ])('of a fetch that was killed is forgotten where the server has %s', async (what, file) => {
    site.put('/app.aci', { content: CONTENT, etag: '"1"', faults: [stallAfter(PART)] });
    const store = what.replaceAll(' ', '-');
    await killedAt(store, PART);
    const had = partialSize(store);
    site.put('/app.aci', file);
    const other = await bench.fetch([URL_OF_APP], { store, ...unsigned });
    expect(other).not.toBe(id);
    expect(site.log).toEqual([`GET /app.aci 200 bytes=${had}- if "1"`]);
    const { stdout } = await bench.run(['image', 'verify', other], { store });
    expect(stdout).toMatch(/successfully verified checksum/);
  });

  test('is not needed for what had come whole when a fetch was killed', async () => {
    site.put('/app.aci', { content: CONTENT, etag: '"1"', faults: [stallAfter(PART)] });
    await killedAt('came-whole', PART);
    const [partial = ''] = bench.partials('came-whole').map(({ path }) => path);
    writeFileSync(partial, CONTENT);
    expect(await bench.fetch([URL_OF_APP], { store: 'came-whole', ...unsigned })).toBe(id);
    expect(site.log).toEqual([`GET /app.aci 416 bytes=${CONTENT.length}- if "1"`]);
  });

  test('of a fetch that was killed is not gone on with without an ETag', async () => {
    site.put('/app.aci', { content: CONTENT, faults: [stallAfter(PART)] });
    await killedAt('no-etag', PART);
    expect(await bench.fetch([URL_OF_APP], { store: 'no-etag', ...unsigned })).toBe(id);
    expect(site.log).toEqual(['GET /app.aci 200']);
  });

  test('is one for two that fetch the same', async () => {
    site.put('/app.aci', { content: CONTENT, etag: '"1"', cacheControl: 'max-age=3600' });
    const both = await Promise.all(
      [1, 2].map(() => bench.fetch([URL_OF_APP], { store: 'both', ...unsigned })),
    );
    expect(both).toEqual([id, id]);
    expect(site.log).toEqual(['GET /app.aci 200']);
  });
});
