import { describe, expect, test } from 'vitest';
import type { TrustErrorCode } from '../../../src/trust/index.ts';
import { CONTENT, type Given, useSigners } from './signers.ts';

// Everything that can be wrong with a signature, made by gpg as far as it makes such.

const { gpg, key, verify, at } = useSigners('rsa2048', 'rsa3072', 'nistp256', 'nistp521', 'ed25519');

const DAY = 24 * 3600 * 1000;
const at2020 = (month: string) => `--faked-system-time=2020${month}01T000000`;
const signed = (by: string, ...options: readonly string[]) =>
  gpg.signDetached(CONTENT, { by: [by], options });

/** Changes one byte of a binary file. */
function flipped(file: Uint8Array, offset: number): Buffer {
  const copy = Buffer.from(file);
  const index = (copy.length + offset) % copy.length;
  copy.writeUInt8(copy.readUInt8(index) ^ 1, index);
  return copy;
}

const binary = (by: string) => gpg.signDetached(CONTENT, { by: [by], armor: false });
type Refused = readonly [what: string, code: TrustErrorCode, message: RegExp, given: () => Promise<Given>];

const changed = (name: string): Refused => [
  `a changed signature by ${name}`,
  'invalid-signature',
  /invalid signature/,
  async () => ({ trusted: [name], signature: flipped(await binary(key(name)), -1) }),
];

const weakKey = (algorithm: string, message: RegExp): Refused => [
  `a weak key: ${algorithm}`,
  'weak-key',
  message,
  async () => {
    const one = await gpg.makeKey(`Weak ${algorithm}`, algorithm);
    return { trusted: [one], signature: await signed(one) };
  },
];

const weakHash = (hash: string, message: RegExp): Refused => [
  `a weak hash: ${hash}`,
  'weak-hash',
  message,
  async () => ({ trusted: ['rsa2048'], signature: await signed(key('rsa2048'), `--digest-algo=${hash}`) }),
];

const REFUSED: readonly Refused[] = [
  [
    'another content',
    'invalid-signature',
    /^openpgp: invalid signature by key [0-9a-f]{16}$/,
    async () => ({
      trusted: ['rsa2048'],
      signature: await signed(key('rsa2048')),
      content: flipped(CONTENT, 3),
    }),
  ],
  [
    'a content that is cut off',
    'invalid-signature',
    /invalid signature/,
    async () => ({
      trusted: ['ed25519'],
      signature: await signed(key('ed25519')),
      content: CONTENT.subarray(1),
    }),
  ],
  [
    'no content',
    'invalid-signature',
    /invalid signature/,
    async () => ({ trusted: ['ed25519'], signature: await signed(key('ed25519')), content: Buffer.alloc(0) }),
  ],
  changed('rsa2048'),
  changed('nistp256'),
  changed('nistp521'),
  changed('ed25519'),
  [
    'a changed time of signing',
    'invalid-signature',
    /invalid signature/,
    async () => {
      // A month after its key was made, so that no changed second is before that. Its subpacket: length 5, type 2, time.
      const one = await gpg.makeKey('Dated', 'ed25519', { options: [at2020('01')] });
      const signature = await gpg.signDetached(CONTENT, { by: [one], options: [at2020('02')], armor: false });
      const dated = Buffer.from([5, 2, 0, 0, 0, 0]);
      dated.writeUInt32BE(Date.UTC(2020, 1) / 1000, 2);
      const last = signature.indexOf(dated) + dated.length - 1;
      return { trusted: [one], signature: flipped(signature, last) };
    },
  ],
  [
    'an unknown signer',
    'unknown-signer',
    /^openpgp: signature made by unknown entity, key [0-9a-f]{16}$/,
    async () => ({ trusted: ['rsa3072'], signature: await signed(key('rsa2048')) }),
  ],
  [
    'no trusted key at all',
    'unknown-signer',
    /signature made by unknown entity/,
    async () => ({ trusted: [], signature: await signed(key('rsa2048')) }),
  ],
  [
    'an expired key',
    'expired-key',
    /^key [0-9a-f]{16} expired 2020-12-31/,
    async () => {
      const old = await gpg.makeKey('Expired', 'ed25519', { expires: '365d', options: [at2020('01')] });
      return { trusted: [old], signature: await signed(old, at2020('06')) };
    },
  ],
  [
    'an expired subkey',
    'expired-key',
    /expired 2020-/,
    async () => {
      const owner = await gpg.makeKey('Owner of an expired', 'ed25519', { options: [at2020('01')] });
      const subkey = await gpg.addSubkey(owner, 'ed25519', { expires: '200d', options: [at2020('01')] });
      return { trusted: [owner], signature: await signed(`${subkey}!`, at2020('06')) };
    },
  ],
  [
    'a signature that is younger than its key lived',
    'signature-after-key',
    /^signature was made 2020-06-01.*expired 2020-03-/,
    async () => {
      const one = await gpg.makeKey('Shortened', 'ed25519', { options: [at2020('01')] });
      const signature = await signed(one, at2020('06'));
      await gpg.run([at2020('02'), '--quick-set-expire', one.toUpperCase(), '20200301T000000']);
      return { trusted: [one], signature };
    },
  ],
  [
    'a signature that is older than its key',
    'signature-before-key',
    /^signature was made 2020-01-01.*before its key/,
    async () => ({
      trusted: ['rsa2048'],
      signature: await signed(key('rsa2048'), at2020('01'), '--ignore-time-conflict', '--ignore-valid-from'),
    }),
  ],
  [
    'a signature from the future',
    'signature-from-future',
    /^signature is from the future: /,
    async () => ({
      trusted: ['rsa2048'],
      signature: await signed(key('rsa2048')),
      options: { now: new Date(Date.now() - 1.1 * DAY) },
    }),
  ],
  [
    'an expired signature',
    'expired-signature',
    /^signature expired /,
    async () => ({
      trusted: ['rsa2048'],
      signature: await signed(key('rsa2048'), '--default-sig-expire=1d'),
      options: { now: new Date(Date.now() + 2 * DAY) },
    }),
  ],
  [
    'a revoked key',
    'revoked-key',
    /^key [0-9a-f]{16} has been revoked$/,
    async () => {
      const one = await gpg.makeKey('Revoked', 'ed25519');
      const signature = await signed(one);
      await gpg.revoke(one);
      return { trusted: [one], signature };
    },
  ],
  [
    'a revoked subkey',
    'revoked-key',
    /has been revoked$/,
    async () => {
      const owner = await gpg.makeKey('Owner of a revoked', 'ed25519');
      const subkey = await gpg.addSubkey(owner, 'ed25519');
      const signature = await signed(`${subkey}!`);
      await gpg.edit(owner, ['key 1', 'revkey', 'y', '0', '', 'y', 'save']);
      return { trusted: [owner], signature };
    },
  ],
  [
    'a key that may only encrypt',
    'key-may-not-sign',
    /^key [0-9a-f]{16} may not sign images$/,
    async () => {
      const one = await gpg.makeKey('Encrypts now', 'rsa2048', { usage: 'sign,encrypt' });
      const signature = await signed(one);
      await gpg.edit(one, ['change-usage', 's', 'q', 'save']);
      return { trusted: [one], signature };
    },
  ],
  weakKey('rsa1024', /RSA of 1024 bits, at least 2048/),
  weakKey('dsa2048', /is too weak: DSA$/),
  weakKey('secp256k1', /the curve secp256k1 is not supported/),
  weakHash('MD5', /weak hash algorithm MD5$/),
  weakHash('SHA1', /weak hash algorithm SHA-1$/),
  weakHash('RIPEMD160', /weak hash algorithm RIPEMD-160$/),
  [
    'a signature of text',
    'text-signature',
    /^signature is one of text/,
    async () => ({ trusted: ['rsa2048'], signature: await signed(key('rsa2048'), '--textmode') }),
  ],
  [
    'a signature of a version before 4',
    'unsupported-signature',
    /version or algorithm that is not supported/,
    async () => {
      const signature = await binary(key('rsa2048'));
      signature.writeUInt8(3, signature.indexOf(Buffer.from([4, 0])));
      return { trusted: ['rsa2048'], signature };
    },
  ],
  [
    'a critical notation that nobody here knows',
    'unsupported-signature',
    /critical part/,
    async () => ({
      trusted: ['rsa2048'],
      signature: await signed(key('rsa2048'), '--sig-notation', '!purpose@example.com=other'),
    }),
  ],
];

describe('refused is', () => {
  test.each(REFUSED)('%s', async (_, code, message, given) => {
    const error = await verify(await given()).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ name: 'TrustError', code, message: expect.stringMatching(message) });
  });

  test('a signature that cannot count before the image has been read', async () => {
    const signature = await signed(key('rsa2048'), '--digest-algo=SHA1');
    await expect(
      verify({ trusted: ['rsa2048'], signature, content: at('no such image') }),
    ).rejects.toMatchObject({
      code: 'weak-hash',
    });
  });

  test('each of several, with the reason of those that tell one', async () => {
    const by = [key('rsa2048'), key('ed25519'), key('nistp256')];
    const signature = await gpg.signDetached('another', { by });
    await expect(verify({ trusted: ['ed25519', 'nistp256'], signature })).rejects.toMatchObject({
      code: 'invalid-signature',
      message: `no signature of example.com/app counts: ${[1, 2]
        .map((index) => `openpgp: invalid signature by key ${by[index]?.slice(-16)}`)
        .join('; ')}`,
    });
  });
});
