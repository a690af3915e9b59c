import { readFileSync, writeFileSync } from 'node:fs';
import { deflateRawSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { parseACIdentifier } from '../../../src/appc/index.ts';
import { parseDigest, parseDockerReference } from '../../../src/oci/index.ts';
import { type TrustErrorCode, verifySimpleSigning } from '../../../src/trust/index.ts';
import { sha256 } from '../../support/image-files.ts';
import { useSigners } from './signers.ts';

// Signatures of images as skopeo and gpg make them, and statements that say something else than what is asked.

const { gpg, key, trusting, at } = useSigners('rsa2048', 'nistp256', 'ed25519');

const MANIFEST = Buffer.from('{"schemaVersion": 2}');
const DIGEST = parseDigest(`sha256:${sha256(MANIFEST)}`);
const OTHER = `sha256:${'0'.repeat(64)}`;
const REPOSITORY = parseACIdentifier('docker.io/library/app');

const statement = (change: Readonly<Record<string, unknown>> = {}) => ({
  critical: {
    type: 'atomic container signature',
    image: { 'docker-manifest-digest': DIGEST },
    identity: { 'docker-reference': 'docker.io/library/app:1' },
    ...change,
  },
  optional: { creator: 'test', timestamp: 1_700_000_000 },
});

const sign = (json: unknown, ...options: readonly string[]) =>
  gpg.signMessage(typeof json === 'string' || json instanceof Uint8Array ? json : JSON.stringify(json), {
    by: [key('ed25519')],
    armor: false,
    options,
  });

async function verify(signatures: readonly Uint8Array[], asked = 'app:1', trusted = ['ed25519']) {
  return verifySimpleSigning({
    signatures,
    manifestDigest: DIGEST,
    reference: parseDockerReference(asked),
    keystore: await trusting(trusted, parseACIdentifier('docker.io/library')),
    keyName: REPOSITORY,
  });
}

describe('a good signature', () => {
  test.each(['rsa2048', 'nistp256', 'ed25519'])('is made by skopeo with a key of %s', async (name) => {
    writeFileSync(at('manifest.json'), MANIFEST);
    const what = [at('manifest.json'), 'docker.io/library/app:1', key(name).toUpperCase()];
    await gpg.command('skopeo', ['standalone-sign', ...what, '--output', at('signature')]);
    const signature = readFileSync(at('signature'));
    expect(await verify([signature], 'app:1', [name])).toMatchObject({ fingerprint: key(name) });
    const checked = await gpg.command('skopeo', ['standalone-verify', ...what, at('signature')]);
    expect(checked.toString()).toMatch(/^Signature verified/);
  });

  test.each(['--compress-algo=none', '--compress-algo=zip', '--compress-algo=zlib', '--compress-algo=bzip2'])(
    'is made by gpg with %s',
    async (option) => {
      expect(await verify([await sign(statement(), option)])).toMatchObject({ fingerprint: key('ed25519') });
    },
  );

  test('is one of several', async () => {
    const signatures = [
      Buffer.from('garbage'),
      await sign(statement({ image: { 'docker-manifest-digest': OTHER } })),
      await gpg.signMessage(JSON.stringify(statement()), { by: [key('rsa2048')], armor: false }),
      await sign(statement()),
    ];
    expect(await verify(signatures)).toMatchObject({ fingerprint: key('ed25519') });
  });

  test.each([
    ['docker.io/library/app:1', 'index.docker.io/library/app:1'],
    ['docker.io/library/app', 'app:1'],
    ['docker.io/library/app:1', `app@${DIGEST}`],
    ['docker.io/library/app:1', `app:2@${DIGEST}`],
    [`docker.io/library/app@${DIGEST}`, 'app:1'],
  ])('is for %s, where %s is asked for', async (signed, asked) => {
    const signature = await sign(statement({ identity: { 'docker-reference': signed } }));
    expect(await verify([signature], asked)).toBeDefined();
  });

  test('may have nothing optional', async () => {
    const { critical } = statement();
    expect(await verify([await sign({ critical })])).toBeDefined();
    expect(await verify([await sign({ critical, optional: null })])).toBeDefined();
  });
});

const BOMB = 32 * 1024 * 1024;

/** An OpenPGP packet of 33,000 bytes that claims to be 32 MiB. */
function bomb(): Buffer {
  const content = Buffer.alloc(6 + BOMB);
  content.set([0xcb, 0xff], 0);
  content.writeUInt32BE(BOMB, 2);
  return Buffer.concat([Buffer.from([0xa3, 0x01]), deflateRawSync(content)]);
}

type Refused = readonly [
  what: string,
  code: TrustErrorCode,
  message: RegExp,
  given: () => Promise<{
    readonly signature: Uint8Array;
    readonly asked?: string;
    readonly trusted?: string[];
  }>,
];

const refusedStatement = (what: string, message: RegExp, json: () => unknown): Refused => [
  what,
  'bad-payload',
  message,
  async () => ({ signature: await sign(json()) }),
];

const REFUSED: readonly Refused[] = [
  [
    'another image',
    'wrong-image',
    /^signature is for the image sha256:0+, not for sha256:/,
    async () => ({ signature: await sign(statement({ image: { 'docker-manifest-digest': OTHER } })) }),
  ],
  [
    'another repository',
    'wrong-name',
    /^signature is for docker\.io\/library\/app:1, not for docker\.io\/library\/other:1$/,
    async () => ({ signature: await sign(statement()), asked: 'other:1' }),
  ],
  [
    'another registry',
    'wrong-name',
    /not for quay\.io\/library\/app:1$/,
    async () => ({ signature: await sign(statement()), asked: 'quay.io/library/app:1' }),
  ],
  [
    'another tag',
    'wrong-name',
    /not for docker\.io\/library\/app:2$/,
    async () => ({ signature: await sign(statement()), asked: 'app:2' }),
  ],
  [
    'another digest in its name',
    'wrong-name',
    /^signature is for docker\.io\/library\/app@sha256:0+, not/,
    async () => ({
      signature: await sign(
        statement({ identity: { 'docker-reference': `docker.io/library/app@${OTHER}` } }),
      ),
    }),
  ],
  [
    'somebody unknown',
    'unknown-signer',
    /signature made by unknown entity/,
    async () => ({ signature: await sign(statement()), trusted: ['rsa2048'] }),
  ],
  [
    'a changed statement',
    'invalid-signature',
    /invalid signature/,
    async () => {
      const signature = await sign(statement(), '--compress-algo=none');
      signature.write('docker.io/library/evil', signature.indexOf('docker.io/library/app'));
      return { signature };
    },
  ],
  [
    'an armored message',
    'malformed-signature',
    /not binary/,
    async () => ({ signature: await gpg.signMessage('x', { by: [key('ed25519')] }) }),
  ],
  [
    'garbage',
    'malformed-signature',
    /not a signed message/,
    async () => ({ signature: Buffer.from('ffff', 'hex') }),
  ],
  ['nothing', 'malformed-signature', /not binary/, async () => ({ signature: Buffer.alloc(0) })],
  [
    'a detached signature',
    'malformed-signature',
    /not a signed message/,
    async () => ({ signature: await gpg.signDetached('x', { by: [key('ed25519')], armor: false }) }),
  ],
  [
    'a message that is not signed',
    'malformed-signature',
    /a message without a signature/,
    async () => ({ signature: await gpg.run(['--store', '--output', '-'], JSON.stringify(statement())) }),
  ],
  [
    'an encrypted message',
    'malformed-signature',
    /not a signed message/,
    async () => ({
      signature: await gpg.run(
        ['--passphrase=secret', '--symmetric', '--output', '-'],
        JSON.stringify(statement()),
      ),
    }),
  ],
  [
    'a file of a size that none has',
    'too-large',
    /65537 bytes/,
    async () => ({ signature: Buffer.alloc(65_537, 0xff) }),
  ],
  refusedStatement('no JSON', /not JSON/, () => 'hello'),
  refusedStatement('no UTF-8', /not UTF-8/, () => Buffer.from('"\xff"', 'latin1')),
  refusedStatement('a list', /expected an object/, () => []),
  refusedStatement('no critical part', /critical: is required/, () => ({ optional: {} })),
  refusedStatement('an unknown critical member', /critical: unknown member "more"/, () =>
    statement({ more: 1 }),
  ),
  refusedStatement('an unknown member', /unknown member "more"/, () => ({ ...statement(), more: 1 })),
  refusedStatement('an unknown member of its image', /critical\.image: unknown member/, () =>
    statement({ image: { 'docker-manifest-digest': DIGEST, more: 1 } }),
  ),
  refusedStatement('the statement of another program', /critical\.type: expected one of atomic/, () =>
    statement({ type: 'cosign container image signature' }),
  ),
  refusedStatement('no digest', /docker-manifest-digest: expected a digest/, () =>
    statement({ image: { 'docker-manifest-digest': 'sha256:1' } }),
  ),
  refusedStatement('no reference', /docker-reference: expected a docker reference, got "\.\.\/app"/, () =>
    statement({ identity: { 'docker-reference': '../app' } }),
  ),
  refusedStatement('two members of one name', /a member is there twice/, () =>
    JSON.stringify(statement()).replace('{"critical":', `{"critical":{},"critical":`),
  ),
  refusedStatement('two members of one name, one of them escaped', /a member is there twice/, () =>
    JSON.stringify(statement()).replace('"image":', '"im\\u0061ge":{},"image":'),
  ),
];

describe('refused is', () => {
  test.each(REFUSED)('%s', async (_, code, message, given) => {
    const { signature, asked, trusted } = await given();
    const error = await verify([signature], asked, trusted).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ name: 'TrustError', code, message: expect.stringMatching(message) });
  });

  test('what expands to more than any statement, when it has', async () => {
    const error = await verify([bomb()]).catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      code: 'malformed-signature',
      cause: { message: expect.stringMatching(/Maximum decompressed message size exceeded/) },
    });
  });

  test('an image without a signature', async () => {
    await expect(verify([])).rejects.toMatchObject({
      code: 'unsigned',
      message: 'docker.io/library/app is not signed',
    });
  });

  test('one with several, each for its reason', async () => {
    const signatures = [
      await sign(statement({ image: { 'docker-manifest-digest': OTHER } })),
      Buffer.alloc(0),
    ];
    await expect(verify(signatures)).rejects.toMatchObject({
      code: 'wrong-image',
      message: expect.stringMatching(
        /^no signature of docker\.io\/library\/app counts: .*; signature: not binary/,
      ),
    });
  });
});
