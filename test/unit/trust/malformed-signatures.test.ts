import { expect, test } from 'vitest';
import type { TrustErrorCode } from '../../../src/trust/index.ts';
import { CONTENT, type Given, useSigners } from './signers.ts';

// What may lie where a signature should: the file as a whole, before anybody's key is asked.

const { gpg, key, verify } = useSigners('rsa2048', 'ed25519');

const binary = (by: string) => gpg.signDetached(CONTENT, { by: [by], armor: false });

const armored = async (change: (text: string) => string): Promise<Given> => {
  const text = (await gpg.signDetached(CONTENT, { by: [key('rsa2048')] })).toString('latin1');
  expect(change(text)).not.toBe(text);
  return { trusted: ['rsa2048'], signature: Buffer.from(change(text), 'latin1') };
};

type Refused = readonly [what: string, code: TrustErrorCode, message: RegExp, given: () => Promise<Given>];

const REFUSED: readonly Refused[] = [
  [
    'garbage',
    'malformed-signature',
    /neither binary/,
    async () => ({ trusted: [], signature: Buffer.from('hello') }),
  ],
  [
    'nothing',
    'malformed-signature',
    /neither binary/,
    async () => ({ trusted: [], signature: Buffer.alloc(0) }),
  ],
  [
    'a page of HTML',
    'malformed-signature',
    /neither binary/,
    async () => ({ trusted: [], signature: Buffer.from('<html>\n<body>404</body>\n') }),
  ],
  [
    'a packet of another kind',
    'malformed-signature',
    /not OpenPGP signatures/,
    async () => ({ trusted: [], signature: Buffer.from('cb03620000', 'hex') }),
  ],
  [
    'a key in its place',
    'malformed-signature',
    /expected armor of a PGP SIGNATURE, found a PGP PUBLIC KEY BLOCK/,
    async () => ({ trusted: [], signature: await gpg.exportKeys([key('rsa2048')]) }),
  ],
  [
    'a binary key in its place',
    'malformed-signature',
    /not OpenPGP signatures/,
    async () => ({ trusted: [], signature: await gpg.exportKeys([key('rsa2048')], false) }),
  ],
  [
    'truncated armor',
    'malformed-signature',
    /truncated/,
    () => armored((text) => text.slice(0, text.indexOf('-----END'))),
  ],
  [
    'damaged armor',
    'malformed-signature',
    /checksum does not match/,
    () =>
      armored((text) =>
        text.replace(
          /\n([A-Za-z])([A-Za-z]{2})/,
          (_, a: string, rest: string) => `\n${a === 'A' ? 'B' : 'A'}${rest}`,
        ),
      ),
  ],
  [
    'armor of other characters',
    'malformed-signature',
    /not base64/,
    () => armored((text) => text.replace(/^[A-Za-z0-9+/]{8}/m, '********')),
  ],
  [
    'a binary signature that is cut off',
    'malformed-signature',
    /not OpenPGP signatures/,
    async () => ({ trusted: ['rsa2048'], signature: (await binary(key('rsa2048'))).subarray(0, -4) }),
  ],
  [
    'a signature file of a size that none has',
    'too-large',
    /65537 bytes, at most 65536/,
    async () => ({ trusted: [], signature: Buffer.alloc(65_537, 0x20) }),
  ],
  [
    'more signatures than anybody makes',
    'too-large',
    /17 signatures in one file, at most 16/,
    async () => ({ trusted: [], signature: Buffer.concat(Array(17).fill(await binary(key('ed25519')))) }),
  ],
];

test.each(REFUSED)('%s is refused', async (_, code, message, given) => {
  const error = await verify(await given()).catch((caught: unknown) => caught);
  expect(error).toMatchObject({ name: 'TrustError', code, message: expect.stringMatching(message) });
});
