import { writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { CONTENT, useSigners } from './signers.ts';

const ALGORITHMS = ['rsa2048', 'rsa3072', 'nistp256', 'nistp384', 'nistp521', 'ed25519'];
const { gpg, key, verify, at } = useSigners(...ALGORITHMS);

describe('a good signature', () => {
  test.each(ALGORITHMS)('by %s', async (name) => {
    const signature = await gpg.signDetached(CONTENT, { by: [key(name)] });
    expect(await verify({ trusted: [name, 'rsa3072'], signature })).toEqual({
      fingerprint: key(name),
      keyId: key(name).slice(-16),
      identities: [`Signer <${name}@example.com>`],
    });
  });

  test.each(['SHA224', 'SHA256', 'SHA384', 'SHA512'])('by %s', async (hash) => {
    const options = [`--digest-algo=${hash}`];
    const signature = await gpg.signDetached(CONTENT, { by: [key('rsa3072')], options });
    expect(await verify({ trusted: ['rsa3072'], signature })).toMatchObject({ fingerprint: key('rsa3072') });
  });

  test('is armored or binary, of a file or of bytes as they come', async () => {
    const armored = await gpg.signDetached(CONTENT, { by: [key('ed25519')] });
    const binary = await gpg.signDetached(CONTENT, { by: [key('ed25519')], armor: false });
    writeFileSync(at('image'), CONTENT);
    for (const signature of [armored, binary, Buffer.from(armored.toString().replaceAll('\n', '\r\n'))]) {
      for (const content of [at('image'), CONTENT])
        expect((await verify({ trusted: ['ed25519'], signature, content })).fingerprint).toBe(key('ed25519'));
    }
  });

  test('is by a subkey that its owner has bound', async () => {
    const owner = await gpg.makeKey('Owner', 'rsa2048', { usage: 'cert' });
    const subkey = await gpg.addSubkey(owner, 'nistp256/ecdsa');
    const signature = await gpg.signDetached(CONTENT, { by: [`${subkey}!`] });
    expect(await verify({ trusted: [owner], signature })).toEqual({
      fingerprint: owner,
      keyId: subkey.slice(-16),
      identities: ['Owner'],
    });
  });

  test('is one of several, in one block or in more', async () => {
    const by = [key('rsa2048'), key('ed25519'), key('nistp256')];
    const together = await gpg.signDetached(CONTENT, { by });
    const apart = await Promise.all(by.map((one) => gpg.signDetached(CONTENT, { by: [one] })));
    for (const signature of [together, Buffer.concat(apart)])
      expect((await verify({ trusted: ['nistp256'], signature })).fingerprint).toBe(key('nistp256'));
    const bad = await gpg.signDetached('something else', { by: [key('nistp256')] });
    const mixed = Buffer.concat([bad, await gpg.signDetached(CONTENT, { by: [key('rsa2048')] })]);
    expect((await verify({ trusted: ['nistp256', 'rsa2048'], signature: mixed })).fingerprint).toBe(
      key('rsa2048'),
    );
  });

  test('is by a clock that is a little ahead', async () => {
    const signature = await gpg.signDetached(CONTENT, { by: [key('rsa2048')] });
    const now = new Date(Date.now() - 12 * 3600 * 1000);
    expect(await verify({ trusted: ['rsa2048'], signature, options: { now } })).toBeDefined();
  });
});
