import { rmSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { beforeAll, expect, test } from 'vitest';
import { useFetchBench } from '../support/fetch-bench.ts';
import type { SigningOptions } from '../support/gpg.ts';
import { aciOf, labelsOf } from '../support/image-files.ts';
import { metaPage, movedTo } from '../support/image-site.ts';
import * as tar from '../support/tar-archive.ts';

// What can be done to a signed image on its way: each is refused for a reason of its own, and nothing of it is kept.

const bench = useFetchBench(['example.com']);
const { rkt, gpg, site } = bench;

const NAME = 'example.com/test';
const image = (content: string, labels: Readonly<Record<string, string>> = { version: '1.2.0' }) =>
  aciOf({ name: NAME, labels: labelsOf(labels) }, tar.file('rootfs/app', content));
const IMAGE = image('the app');
const OTHER = image('another');

let release = '';
beforeAll(async () => {
  release = await gpg.makeKey('Release <release@example.com>', 'rsa2048');
  await bench.trust(release, `--prefix=${NAME}`);
  site.put('/', metaPage(['ac-discovery', 'example.com https://example.com/{name}-{version}.{ext}']));
});

const sign = (content: Uint8Array, signing: Partial<SigningOptions> = {}) =>
  gpg.signDetached(content, { by: [release], ...signing });

/** A file with a signature beside it, or without one. */
async function file(content: Uint8Array, signature?: Uint8Array | string): Promise<readonly string[]> {
  const path = rkt.path('test.aci');
  writeFileSync(path, content);
  rmSync(`${path}.asc`, { force: true });
  if (signature !== undefined) writeFileSync(`${path}.asc`, signature);
  return [path];
}

/** What discovery finds as this version of an image. */
async function published(name: string, version: string, content: Uint8Array): Promise<readonly string[]> {
  site.put(`/${name}-${version}.aci`, content);
  site.put(`/${name}-${version}.aci.asc`, await sign(content));
  return [`${name}:${version}`];
}

/** At an address, with a signature that comes only when the image has been asked for. */
function deferred(signature: Uint8Array | undefined): readonly string[] {
  let isFetched = false;
  site.put('/deferred.aci', (_request, response) => {
    isFetched = true;
    response.end(IMAGE);
  });
  site.put('/deferred.aci.asc', (_request, response) =>
    isFetched && signature !== undefined ? response.end(signature) : response.writeHead(202).end(),
  );
  return ['https://example.com/deferred.aci'];
}

/** A signature by a key that there is something wrong with; it is trusted all the same, as far as `trust` goes. */
async function signedBy(
  key: string,
  signing: readonly string[] = [],
  trust = `--prefix=${NAME}`,
): Promise<readonly string[]> {
  const args = await file(IMAGE, await sign(IMAGE, { by: [key], options: signing }));
  await bench.trust(key, trust);
  return args;
}

/** 1280 MiB of zeros in 1.3 MB of gzip. */
function bomb(): Buffer {
  const [piece, pieces] = [64 * 1024 ** 2, 20];
  const zeros = Array<Buffer>(pieces).fill(gzipSync(Buffer.alloc(piece)));
  const header = tar.header({ name: 'rootfs/zeros', size: piece * pieces });
  return Buffer.concat([gzipSync(Buffer.concat([IMAGE.subarray(0, -1024), header])), ...zeros]);
}

const at2020 = (month: string) => `--faked-system-time=2020${month}01T000000`;
const INVALID = /: openpgp: invalid signature by key [0-9a-f]{16}: Signed digest did not match$/m;
const UNKNOWN = /: openpgp: signature made by unknown entity, key [0-9a-f]{16}$/m;

type Tampering = readonly [what: string, message: RegExp, args: () => Promise<readonly string[]>];

const CONTENT: readonly Tampering[] = [
  ['content that was changed', INVALID, async () => file(OTHER, await sign(IMAGE))],
  [
    'a larger archive in the place of the signed one',
    INVALID,
    async () => file(Buffer.concat([IMAGE, Buffer.alloc(1024 ** 2)]), await sign(IMAGE)),
  ],
  ['an archive that was cut off', INVALID, async () => file(IMAGE.subarray(0, -512), await sign(IMAGE))],
  [
    'the same archive, compressed after it was signed',
    INVALID,
    async () => file(gzipSync(IMAGE), await sign(IMAGE)),
  ],
  [
    'an archive that grows without bounds, signed as it is',
    /: archive expands to more than 200 times its size of \d+ bytes$/m,
    async () => file(bomb(), await sign(bomb())),
  ],
];

const SIGNATURE: readonly Tampering[] = [
  [
    "another file's signature, at an address",
    INVALID,
    async () => {
      site.put('/swapped.aci', IMAGE);
      site.put('/swapped.aci.asc', await sign(OTHER));
      return ['https://example.com/swapped.aci'];
    },
  ],
  ["another file's signature, which was deferred", INVALID, async () => deferred(await sign(OTHER))],
  [
    'a signature that is deferred for ever',
    /: error downloading the signature file: server asked to defer the download again$/m,
    async () => deferred(undefined),
  ],
  [
    'no signature beside a file',
    /: error opening signature file: no such file: .*test\.aci\.asc$/m,
    () => file(IMAGE),
  ],
  [
    'no signature at an address',
    /: error downloading the signature file: https:\/\/example\.com\/unsigned\.aci\.asc: bad HTTP status code: 404$/m,
    async () => {
      site.put('/unsigned.aci', IMAGE);
      return ['https://example.com/unsigned.aci'];
    },
  ],
  [
    'a signature by way of plain http',
    /: error downloading the signature file: cannot fetch http:.* to which https:.* redirects: plain http is not allowed/m,
    async () => {
      site.put('/moved.aci', IMAGE);
      site.put('/moved.aci.asc', movedTo('http://example.com/moved.aci.asc'));
      return ['https://example.com/moved.aci'];
    },
  ],
  [
    'an empty signature',
    /: signature file: neither binary OpenPGP nor armor of a PGP SIGNATURE$/m,
    () => file(IMAGE, ''),
  ],
  [
    'armor that was cut off',
    /: signature file: armor is truncated: it has no end$/m,
    async () => file(IMAGE, (await sign(IMAGE)).subarray(0, -40)),
  ],
  [
    'armor with another letter',
    /: signature file: armor is damaged: its checksum does not match$/m,
    async () =>
      file(
        IMAGE,
        `${await sign(IMAGE)}`.replace(
          /(\n\n.{30})(.)/,
          (_, start: string, letter: string) => `${start}${letter === 'A' ? 'B' : 'A'}`,
        ),
      ),
  ],
  [
    'a key in the place of the signature',
    /: signature file: expected armor of a PGP SIGNATURE, found a PGP PUBLIC KEY BLOCK$/m,
    async () => file(IMAGE, await gpg.exportKeys([release])),
  ],
  [
    'a signature that is longer than any',
    /: error opening signature file: .* has 1048576 bytes$/m,
    () => file(IMAGE, Buffer.alloc(1024 ** 2, 'A')),
  ],
  [
    'a weak digest',
    /: signature uses the weak hash algorithm SHA-1$/m,
    async () => file(IMAGE, await sign(IMAGE, { options: ['--digest-algo=SHA1'] })),
  ],
  [
    'a signature of text, which leaves out line ends',
    /: signature is one of text: /m,
    async () => file(IMAGE, await sign(IMAGE, { options: ['--textmode'] })),
  ],
];

const KEY: readonly Tampering[] = [
  [
    'an unknown key',
    UNKNOWN,
    async () => file(IMAGE, await sign(IMAGE, { by: [await gpg.makeKey('Mallory', 'ed25519')] })),
  ],
  [
    'a key that is trusted for other names only',
    UNKNOWN,
    async () => signedBy(await gpg.makeKey('Other', 'ed25519'), [], '--prefix=example.com/test-2'),
  ],
  [
    'a name that no key is trusted for',
    UNKNOWN,
    async () => {
      const alone = aciOf({ name: 'example.com/alone' });
      return file(alone, await sign(alone));
    },
  ],
  [
    'an expired key',
    /: key [0-9a-f]{16} expired 2020-12-31T00:00:00\.000Z$/m,
    async () => {
      const options = [at2020('01')];
      return signedBy(await gpg.makeKey('Expired', 'ed25519', { expires: '365d', options }), [at2020('06')]);
    },
  ],
  [
    'a revoked key',
    /: key [0-9a-f]{16} has been revoked$/m,
    async () => {
      const key = await gpg.makeKey('Revoked', 'ed25519');
      const args = await signedBy(key);
      // Its owner says so later, and whoever trusted it takes the news.
      await gpg.revoke(key);
      await bench.trust(key, `--prefix=${NAME}`);
      return args;
    },
  ],
  [
    'a weak key',
    /: key [0-9a-f]{16} is too weak: RSA of 1024 bits, at least 2048 are needed$/m,
    async () => signedBy(await gpg.makeKey('Weak', 'rsa1024')),
  ],
];

const IDENTITY: readonly Tampering[] = [
  [
    'a signed image under another name',
    /: error when reading the app name: "example\.com\/shop" expected but "example\.com\/test" found$/m,
    async () => {
      await bench.trust(release, '--prefix=example.com/shop');
      return published('example.com/shop', '1.2.0', IMAGE);
    },
  ],
  [
    'an older version in the place of the one asked for',
    /: requested value for label "version": "2\.0" differs from fetched aci label value: "1\.2\.0"$/m,
    () => published(NAME, '2.0', IMAGE),
  ],
  [
    'an image that says nothing of its version',
    /: requested label "version" not provided by the image manifest$/m,
    () => published(NAME, '3.0', image('the app', {})),
  ],
];

test('without any of it the image is taken, and what is made of its file later does not count', async () => {
  const options = { store: 'intact' };
  const args = await file(IMAGE, await sign(IMAGE));
  const id = await bench.fetch(args, options);
  await file(OTHER, await sign(IMAGE));
  const { code, stdout } = await bench.run(['fetch', ...args], options);
  expect({ code, stdout }).toEqual({ code: 254, stdout: '' });
  const { stdout: images } = await bench.run(
    ['image', 'list', '--full', '--fields=id', '--no-legend'],
    options,
  );
  expect(images).toBe(`${id}\n`);
});

test('what was taken unverified is not verified by being there', async () => {
  const options = { store: 'unverified' };
  const args = await file(IMAGE);
  await bench.fetch(args, { ...options, insecure: 'image' });
  const { code, stderr } = await bench.run(['fetch', ...args], options);
  expect({ code, stderr }).toEqual({
    code: 254,
    stderr: expect.stringMatching(/error opening signature file/),
  });
});

test('nothing large is fetched for a signature that cannot count', async () => {
  const args = await published('example.com/test', '4.0', image('the app', { version: '4.0' }));
  const weak = await sign(image('the app', { version: '4.0' }), { options: ['--digest-algo=SHA1'] });
  site.put('/example.com/test-4.0.aci.asc', weak);
  site.log.length = 0;
  expect(await bench.refusal(args, { store: 'early' })).toMatch(/weak hash algorithm/);
  expect(site.log.at(-1)).toBe('GET /example.com/test-4.0.aci.asc 200');
});

test.each([...CONTENT, ...SIGNATURE, ...KEY, ...IDENTITY])('%s', async (what, message, args) => {
  const store = what.replaceAll(/[^a-z0-9]+/g, '-');
  expect(await bench.refusal(await args(), { store })).toMatch(message);
});
