import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { parseACIdentifier } from '../../../src/appc/index.ts';
import { type KeyScope, openKeystore, type PublicKey } from '../../../src/trust/index.ts';
import { readPublicKeys } from '../../../src/trust/key.ts';
import { useSigners } from './signers.ts';

const { gpg, key, at } = useSigners('ed25519', 'nistp256', 'rsa2048');
let keys: readonly PublicKey[] = [];
beforeAll(async () => {
  const files = ['ed25519', 'nistp256', 'rsa2048'].map((name) => gpg.exportKeys([key(name)]));
  keys = (await Promise.all(files.map(async (file) => readPublicKeys(await file, 'key')))).flat();
});

const store = () => openKeystore({ systemDirectory: at('lib'), localDirectory: at('etc') });
const prefix = (text: string): KeyScope => ({ kind: 'prefix', prefix: parseACIdentifier(text) });
const ROOT: KeyScope = { kind: 'root' };

function add(scope: KeyScope, index: number, directory = 'etc'): string {
  const one = keys[index];
  if (one === undefined) throw new Error(`no key ${index}`);
  return openKeystore({ systemDirectory: at('lib'), localDirectory: at(directory) }).add(scope, one).path;
}

function put(path: string, content: string | Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

/** The indexes of the keys that may sign an image of that name. */
async function trusted(name: string): Promise<number[]> {
  const found = await store().keysFor(parseACIdentifier(name));
  return found.map(({ fingerprint }) => keys.findIndex((one) => one.fingerprint === fingerprint)).sort();
}

describe('a key is stored', () => {
  test('under its fingerprint, armored, readable by all', () => {
    const path = add(prefix('example.com/app'), 0);
    expect(path).toBe(at('etc/trustedkeys/prefix.d/example.com/app', key('ed25519')));
    expect(add(ROOT, 1)).toBe(at('etc/trustedkeys/root.d', key('nistp256')));
    expect(readFileSync(path, 'utf8')).toMatch(/^-----BEGIN PGP PUBLIC KEY BLOCK-----\r?\n/);
    expect(statSync(path).mode & 0o7777).toBe(0o644);
    expect(statSync(dirname(path)).mode & 0o7777).toBe(0o2775);
    expect(readdirSync(dirname(path))).toEqual([key('ed25519')]);
  });

  test('as gpg reads it again', async () => {
    const listing = await gpg.run(['--with-colons', '--show-keys', add(ROOT, 2)]);
    expect(listing.toString().toLowerCase()).toContain(key('rsa2048'));
  });

  test('again where it has changed', async () => {
    const path = add(ROOT, 0);
    writeFileSync(path, 'damaged');
    add(ROOT, 0);
    expect(await trusted('example.com/app')).toEqual([0]);
  });
});

describe('keys of an image', () => {
  test('are those of its name, of the prefixes above it and of the root', async () => {
    add(ROOT, 0);
    add(prefix('example.com'), 1);
    add(prefix('example.com/a/b'), 2);
    expect(await trusted('example.com/a/b')).toEqual([0, 1, 2]);
    expect(await trusted('example.com/a/b/c')).toEqual([0, 1, 2]);
    expect(await trusted('example.com/a')).toEqual([0, 1]);
    expect(await trusted('example.org/a/b')).toEqual([0]);
  });

  test('are not those of a name that only begins alike', async () => {
    add(prefix('example.com/a'), 0);
    add(prefix('example.co'), 1);
    expect(await trusted('example.com/ab')).toEqual([]);
  });

  test('are none where there is no keystore', async () => {
    expect(await trusted('example.com/a')).toEqual([]);
  });

  test('come from the vendor too; an empty file of the administrator takes their trust', async () => {
    add(ROOT, 0, 'lib');
    add(prefix('example.com'), 1, 'lib');
    expect(await trusted('example.com/a')).toEqual([0, 1]);
    put(at('etc/trustedkeys/root.d', key('ed25519')), '');
    expect(await trusted('example.com/a')).toEqual([1]);
    put(at('etc/trustedkeys/prefix.d/example.com', key('nistp256')), '');
    expect(await trusted('example.com/a')).toEqual([]);
    add(prefix('example.com/a'), 1);
    expect(await trusted('example.com/a')).toEqual([1]);
  });

  test('are taken from the administrator where the vendor has them too', async () => {
    put(at('lib/trustedkeys/root.d', key('ed25519')), keys[0]?.armored ?? '');
    const revoked = await gpg.makeKey('Revoked later', 'ed25519');
    put(at('lib/trustedkeys/root.d', revoked), await gpg.exportKeys([revoked]));
    await gpg.revoke(revoked);
    put(at('etc/trustedkeys/root.d', revoked), await gpg.exportKeys([revoked]));
    const found = await store().keysFor(parseACIdentifier('example.com/a'));
    const one = found.find(({ fingerprint }) => fingerprint === revoked);
    expect(await one?.key.isRevoked()).toBe(true);
  });

  test('may be binary, links, or the first of several in a file', async () => {
    put(at('etc/trustedkeys/root.d', key('ed25519')), await gpg.exportKeys([key('ed25519')], false));
    put(at('elsewhere'), keys[1]?.armored ?? '');
    symlinkSync(at('elsewhere'), at('etc/trustedkeys/root.d', key('nistp256')));
    const both = `${keys[2]?.armored}${keys[0]?.armored}`;
    put(at('etc/trustedkeys/prefix.d/example.com', key('rsa2048')), both);
    expect(await trusted('example.com/a')).toEqual([0, 1, 2]);
  });

  test('are not what a killed command has left half written', async () => {
    put(at('etc/trustedkeys/root.d', `${key('ed25519')}.tmp`), '-----BEGIN PGP');
    expect(await trusted('example.com/a')).toEqual([]);
  });
});

describe('the keystore is refused for', () => {
  const files: readonly (readonly [
    what: string,
    name: () => string,
    content: () => string,
    problem: RegExp,
  ])[] = [
    [
      'a key under the name of another',
      () => key('nistp256'),
      () => keys[0]?.armored ?? '',
      /holds the key [0-9a-f]{40}, which is not its name/,
    ],
    ['a key under any name', () => 'release.asc', () => keys[0]?.armored ?? '', /release\.asc holds the key/],
    ['garbage', () => key('ed25519'), () => 'garbage', /cannot be read/],
    ['a damaged key', () => key('ed25519'), () => (keys[0]?.armored ?? '').slice(0, 300), /cannot be read/],
    [
      'a file of a size that no key has',
      () => key('ed25519'),
      () => ' '.repeat(1024 * 1024 + 1),
      /1048577 bytes/,
    ],
  ];
  test.each(files)('%s', async (_, name, content, problem) => {
    const path = at('etc/trustedkeys/prefix.d/example.com', name());
    put(path, content());
    const error = await trusted('example.com/a').catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'bad-keystore', message: expect.stringMatching(problem) });
    expect(error).toMatchObject({ message: expect.stringContaining(path) });
    // It concerns only those who would be verified by it.
    expect(await trusted('example.org')).toEqual([]);
  });

  test('a device in place of a key', async () => {
    mkdirSync(at('etc/trustedkeys/root.d'), { recursive: true });
    symlinkSync('/dev/zero', at('etc/trustedkeys/root.d', key('ed25519')));
    await expect(trusted('example.com/a')).rejects.toMatchObject({
      code: 'bad-keystore',
      message: expect.stringContaining('not a regular file'),
    });
  });
});

describe('a key file', () => {
  test('shows whose keys it has, by names that the keys have certified', async () => {
    const owner = await gpg.makeKey('One <one@example.com>', 'ed25519', { usage: 'cert' });
    const subkey = await gpg.addSubkey(owner, 'ed25519');
    await gpg.run(['--quick-add-uid', owner, 'Two']);
    const file = Buffer.concat([await gpg.exportKeys([owner]), Buffer.from(keys[2]?.armored ?? '')]);
    const [first, second, ...more] = await readPublicKeys(file, 'file');
    expect(first).toMatchObject({ fingerprint: owner, subkeyFingerprints: [subkey] });
    expect([...(first?.identities ?? [])].sort()).toEqual(['One <one@example.com>', 'Two']);
    expect([second?.fingerprint, more]).toEqual([key('rsa2048'), []]);
  });

  test('shows no name that somebody else has added', async () => {
    const [mine, theirs] = [await gpg.makeKey('Mine', 'ed25519'), await gpg.makeKey('Famous', 'ed25519')];
    const [a, b] = [await gpg.exportKeys([mine], false), await gpg.exportKeys([theirs], false)];
    // Old format: the tags of user id (13) and signature (2), up to the end of the key.
    const name = b.subarray(b.indexOf(Buffer.from([0xb4, 6])));
    const [forged] = await readPublicKeys(Buffer.concat([a, name]), 'file');
    expect(forged?.key.getUserIDs()).toEqual(['Mine', 'Famous']);
    expect(forged?.identities).toEqual(['Mine']);
  });

  test('must not be a private key', async () => {
    const file = await gpg.run(['--armor', '--export-secret-keys', key('ed25519')]);
    await expect(readPublicKeys(file, 'file')).rejects.toMatchObject({
      code: 'bad-key',
      message: 'file: expected armor of a PGP PUBLIC KEY BLOCK, found a PGP PRIVATE KEY BLOCK',
    });
    const binary = await gpg.run(['--export-secret-keys', key('ed25519')]);
    await expect(readPublicKeys(binary, 'file')).rejects.toMatchObject({
      code: 'bad-key',
      message: `file: key ${key('ed25519')} is a private key, expected public ones`,
    });
  });
});
