import { writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { useFetchBench } from '../support/fetch-bench.ts';
import { aciOf } from '../support/image-files.ts';
import { metaPage } from '../support/image-site.ts';
import * as tar from '../support/tar-archive.ts';

// ACIs that people have signed with gpg, fetched by hosts that trust their keys: whatever the key, and wherever the image comes from.

const bench = useFetchBench(['example.com']);
const { rkt, gpg, site } = bench;

/** Of keys by gpg's names of their algorithms. `prefix`: what the key is trusted for, undefined for everything. */
const SIGNERS = [
  { algorithm: 'rsa2048', prefix: 'example.com/rsa' },
  { algorithm: 'nistp256', prefix: 'example.com' },
  { algorithm: 'ed25519', prefix: undefined },
] as const;
const SUBKEY = 'example.com/subkey';
const NAMES = ['example.com/rsa', 'example.com/ecdsa', 'example.com/eddsa', SUBKEY] as const;

/** Fingerprints of the keys that sign, by the name of the image that they sign. */
const keys = new Map<string, string>();
const identityOf = (name: string) => `Signer of ${name} <release@example.com>`;

beforeAll(async () => {
  for (const [index, { algorithm, prefix }] of SIGNERS.entries()) {
    const name = NAMES[index] ?? '';
    const key = await gpg.makeKey(identityOf(name), algorithm);
    keys.set(name, key);
    await bench.trust(key, prefix === undefined ? '--root' : `--prefix=${prefix}`);
  }
  const owner = await gpg.makeKey(identityOf(SUBKEY), 'rsa3072', { usage: 'cert' });
  keys.set(SUBKEY, `${await gpg.addSubkey(owner, 'ed25519')}!`);
  await bench.trust(owner, `--prefix=${SUBKEY}`);
  site.put('/', metaPage(['ac-discovery', 'example.com https://example.com/found/{name}.{ext}']));
});

const image = (name: string) => gzipSync(aciOf({ name }, tar.file('rootfs/hello', name)));
const sign = (content: Uint8Array, name: string, armor = true) =>
  gpg.signDetached(content, { by: [keys.get(name) ?? ''], armor });

/** Where an image and its signature are, and what `fetch` is told. */
const WAYS: Readonly<Record<string, (name: string) => Promise<readonly string[]>>> = {
  'a file with its signature beside it': async (name) => {
    const path = rkt.path(`${name.replace('/', '-')}.aci`);
    writeFileSync(path, image(name));
    writeFileSync(`${path}.asc`, await sign(image(name), name));
    return [path];
  },
  'a file, and a binary signature somewhere else': async (name) => {
    const [path, signature] = [rkt.path('elsewhere.aci'), rkt.path('signature.bin')];
    writeFileSync(path, image(name));
    writeFileSync(signature, await sign(image(name), name, false));
    return [path, `--signature=${signature}`];
  },
  https: async (name) => {
    site.put('/by/url.aci', image(name));
    site.put('/by/url.aci.asc', await sign(image(name), name));
    return ['https://example.com/by/url.aci'];
  },
  'https, with a signature that is here': async (name) => {
    site.put('/unsigned.aci', image(name));
    writeFileSync(rkt.path('here.asc'), await sign(image(name), name));
    return ['https://example.com/unsigned.aci', `--signature=${rkt.path('here.asc')}`];
  },
  discovery: async (name) => {
    site.put(`/found/${name}.aci`, image(name));
    site.put(`/found/${name}.aci.asc`, await sign(image(name), name));
    return [name];
  },
};

describe.each(NAMES)('the image of %s is verified', (name) => {
  test.each(Object.keys(WAYS))('from %s', async (way) => {
    const args = (await WAYS[way]?.(name)) ?? [];
    const { code, stdout, stderr } = await bench.run(['fetch', ...args], { store: `${name}-${way}` });
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringContaining(`image: signature verified:\nimage:   ${identityOf(name)}\n`),
    });
    expect(stdout).toMatch(/^sha512-[0-9a-f]{32}\n$/);
  });
});
