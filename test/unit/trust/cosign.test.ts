import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseDigest, parseDockerReference } from '../../../src/oci/index.ts';
import { cosignTag, type TrustErrorCode, verifyCosign } from '../../../src/trust/index.ts';
import { sha256 } from '../../support/image-files.ts';
import { tool, toolBytes } from '../../support/tool.ts';

// Signatures as cosign keeps them in a registry, made by OpenSSL: its public format is all there is to it.

const DIGEST = parseDigest(`sha256:${sha256(Buffer.from('a manifest'))}`);
const OTHER = `sha256:${'0'.repeat(64)}`;
const STATEMENT_TYPE = 'application/vnd.dev.cosign.simplesigning.v1+json';

/** How each kind of key is made, and how it signs a file, in OpenSSL's words. */
const KINDS = {
  'P-256': [
    ['EC', 'ec_paramgen_curve:P-256'],
    ['dgst', '-sha256', '-sign'],
  ],
  'P-384': [
    ['EC', 'ec_paramgen_curve:P-384'],
    ['dgst', '-sha256', '-sign'],
  ],
  'P-384 with SHA-384': [
    ['EC', 'ec_paramgen_curve:P-384'],
    ['dgst', '-sha384', '-sign'],
  ],
  'P-521 with SHA-512': [
    ['EC', 'ec_paramgen_curve:P-521'],
    ['dgst', '-sha512', '-sign'],
  ],
  'RSA by PKCS 1': [
    ['RSA', 'rsa_keygen_bits:2048'],
    ['dgst', '-sha256', '-sign'],
  ],
  'RSA by PSS': [
    ['RSA', 'rsa_keygen_bits:2048'],
    ['dgst', '-sha256', '-sigopt', 'rsa_padding_mode:pss', '-sign'],
  ],
  Ed25519: [['ED25519'], ['pkeyutl', '-sign', '-rawin', '-inkey']],
  'RSA of 1024 bits': [
    ['RSA', 'rsa_keygen_bits:1024'],
    ['dgst', '-sha256', '-sign'],
  ],
  secp256k1: [
    ['EC', 'ec_paramgen_curve:secp256k1'],
    ['dgst', '-sha256', '-sign'],
  ],
  Ed448: [['ED448'], ['pkeyutl', '-sign', '-rawin', '-inkey']],
} as const;
type Kind = keyof typeof KINDS;

const directory = mkdtempSync(join(tmpdir(), 'rkt-cosign-'));
const at = (name: string) => join(directory, name.replaceAll(' ', '-'));
const publicKey = (kind: Kind) => readFileSync(at(`${kind}.pub`), 'utf8');
afterAll(() => rmSync(directory, { recursive: true }));
beforeAll(async () => {
  for (const [kind, [[algorithm, ...options]]] of Object.entries(KINDS)) {
    const parameters = options.flatMap((option) => ['-pkeyopt', option]);
    await tool('openssl', ['genpkey', '-algorithm', algorithm, ...parameters, '-out', at(kind)]);
    await tool('openssl', ['pkey', '-in', at(kind), '-pubout', '-out', at(`${kind}.pub`)]);
  }
});

const statement = (change: Readonly<Record<string, unknown>> = {}) => ({
  critical: {
    identity: { 'docker-reference': 'quay.io/someone/app' },
    image: { 'docker-manifest-digest': DIGEST },
    type: 'cosign container image signature',
    ...change,
  },
  optional: null,
});

interface Signature {
  readonly payload: Buffer;
  /** Base64. */
  readonly signature: string;
}

async function sign(kind: Kind, json: unknown = statement()): Promise<Signature> {
  const payload = Buffer.from(JSON.stringify(json));
  const file = at(`payload-${sha256(payload)}`);
  writeFileSync(file, payload);
  const [program, ...rest] = KINDS[kind][1];
  const where = program === 'pkeyutl' ? ['-in', file] : [file];
  const signature = await toolBytes('openssl', [program, ...rest, at(kind), ...where]);
  return { payload, signature: signature.toString('base64') };
}

/** The manifest behind the tag of signatures, and what it points at. */
function signatureImage(signatures: readonly Signature[], change: Readonly<Record<string, unknown>> = {}) {
  const blobs = new Map(signatures.map(({ payload }) => [`sha256:${sha256(payload)}`, payload]));
  const layers = signatures.map(({ payload, signature }) => ({
    mediaType: STATEMENT_TYPE,
    size: payload.length,
    digest: `sha256:${sha256(payload)}`,
    annotations: { 'dev.cosignproject.cosign/signature': signature },
    ...change,
  }));
  const config = { mediaType: 'application/vnd.oci.image.config.v1+json', size: 2, digest: OTHER };
  return { manifest: JSON.stringify({ schemaVersion: 2, config, layers }), blobs };
}

interface Given {
  readonly signatures?: readonly Signature[];
  readonly image?: ReturnType<typeof signatureImage>;
  readonly keys: readonly string[];
  readonly asked?: string;
}

function verify({
  signatures = [],
  image = signatureImage(signatures),
  keys,
  asked = 'quay.io/someone/app:1',
}: Given) {
  return verifyCosign({
    manifest: image.manifest,
    loadBlob: async ({ digest }) => image.blobs.get(digest) ?? Buffer.alloc(0),
    manifestDigest: DIGEST,
    reference: parseDockerReference(asked),
    keys,
  });
}

test('signatures are behind a tag that is made of the digest', () => {
  expect(cosignTag(DIGEST)).toBe(`sha256-${sha256(Buffer.from('a manifest'))}.sig`);
});

describe('a good signature', () => {
  const good: readonly Kind[] = [
    'P-256',
    'P-384',
    'P-384 with SHA-384',
    'P-521 with SHA-512',
    'RSA by PKCS 1',
    'RSA by PSS',
    'Ed25519',
  ];
  test.each(good)('by %s', async (kind) => {
    const der = await toolBytes('openssl', ['pkey', '-pubin', '-in', at(`${kind}.pub`), '-outform', 'DER']);
    expect(await verify({ signatures: [await sign(kind)], keys: [publicKey(kind)] })).toEqual({
      fingerprint: `sha256:${sha256(der)}`,
    });
  });

  test('is one of several, by one of several keys', async () => {
    const signatures = [
      await sign('RSA by PSS'),
      await sign('Ed25519', statement({ image: { 'docker-manifest-digest': OTHER } })),
      await sign('P-256'),
    ];
    expect(await verify({ signatures, keys: [publicKey('Ed25519'), publicKey('P-256')] })).toBeDefined();
  });

  test('may name a tag, where that is asked for', async () => {
    const named = statement({ identity: { 'docker-reference': 'quay.io/someone/app:1' } });
    const given = { signatures: [await sign('P-256', named)], keys: [publicKey('P-256')] };
    expect(await verify(given)).toBeDefined();
    await expect(verify({ ...given, asked: 'quay.io/someone/app:2' })).rejects.toMatchObject({
      code: 'wrong-name',
    });
  });
});

type Refused = readonly [what: string, code: TrustErrorCode, message: RegExp, given: () => Promise<Given>];

const byP256 = async (json?: unknown): Promise<Given> => ({
  signatures: [await sign('P-256', json)],
  keys: [publicKey('P-256')],
});
const withLayer = async (change: Readonly<Record<string, unknown>>): Promise<Given> => ({
  image: signatureImage([await sign('P-256')], change),
  keys: [publicKey('P-256')],
});
const withManifest = async (manifest: string): Promise<Given> => ({
  image: { manifest, blobs: new Map() },
  keys: [publicKey('P-256')],
});
const withKey = async (key: string): Promise<Given> => ({ ...(await byP256()), keys: [key] });

const REFUSED: readonly Refused[] = [
  [
    'another image',
    'wrong-image',
    /^signature is for the image sha256:0+, not for/,
    () => byP256(statement({ image: { 'docker-manifest-digest': OTHER } })),
  ],
  [
    'another name',
    'wrong-name',
    /^signature is for quay\.io\/someone\/app, not for quay\.io\/someone\/else:1$/,
    async () => ({ ...(await byP256()), asked: 'quay.io/someone/else:1' }),
  ],
  [
    'the statement of another program',
    'bad-payload',
    /critical\.type: expected one of cosign container image signature/,
    () => byP256(statement({ type: 'atomic container signature' })),
  ],
  [
    'no name',
    'bad-payload',
    /docker-reference/,
    () => byP256(statement({ identity: { 'docker-reference': '' } })),
  ],
  [
    'another key',
    'invalid-signature',
    /^cosign signature sha256:[0-9a-f]{64} is not by key sha256:[0-9a-f]{64}$/,
    async () => ({ ...(await byP256()), keys: [publicKey('P-384')] }),
  ],
  [
    'other keys',
    'invalid-signature',
    /is not by any of 2 keys$/,
    async () => ({ ...(await byP256()), keys: [publicKey('P-384'), publicKey('Ed25519')] }),
  ],
  [
    'a signature of another statement',
    'invalid-signature',
    /is not by key/,
    async () => {
      const [{ payload }, { signature }] = [await sign('P-256'), await sign('P-256', statement({ more: 1 }))];
      return { signatures: [{ payload, signature }], keys: [publicKey('P-256')] };
    },
  ],
  [
    'a statement that is not the one of its digest',
    'malformed-signature',
    /has the digest of another/,
    async () => {
      const image = signatureImage([await sign('P-256')]);
      const blobs = new Map([...image.blobs.keys()].map((digest) => [digest, Buffer.from('{}')]));
      return { image: { ...image, blobs }, keys: [publicKey('P-256')] };
    },
  ],
  [
    'a layer without a signature',
    'malformed-signature',
    /is not base64/,
    () => withLayer({ annotations: {} }),
  ],
  [
    'a signature that is no base64',
    'malformed-signature',
    /is not base64/,
    () => withLayer({ annotations: { 'dev.cosignproject.cosign/signature': '***' } }),
  ],
  ['a statement of a size that none has', 'too-large', /has 65537 bytes/, () => withLayer({ size: 65_537 })],
  [
    'layers of another kind',
    'unsigned',
    /^quay\.io\/someone\/app is not signed$/,
    () => withLayer({ mediaType: 'application/vnd.oci.image.layer.v1.tar' }),
  ],
  [
    'more signatures than anybody makes',
    'too-large',
    /^17 cosign signatures, at most 16/,
    async () => ({ signatures: Array(17).fill(await sign('P-256')), keys: [publicKey('P-256')] }),
  ],
  ['no JSON', 'malformed-signature', /^cosign manifest: not JSON/, () => withManifest('hello')],
  ['no manifest', 'malformed-signature', /^cosign manifest: schemaVersion/, () => withManifest('{}')],
  [
    'no layers',
    'malformed-signature',
    /^cosign manifest: layers: is required/,
    () => withManifest('{"schemaVersion":2}'),
  ],
  ['a key that is none', 'bad-key', /^not a public key in PEM$/, () => withKey('hello')],
  [
    'a damaged key',
    'bad-key',
    /^not a public key in PEM$/,
    () => withKey('-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n'),
  ],
  ['a private key', 'bad-key', /^not a public key in PEM$/, () => withKey(readFileSync(at('P-256'), 'utf8'))],
  [
    'a short key',
    'weak-key',
    /RSA of 1024 bits, at least 2048/,
    () => withKey(publicKey('RSA of 1024 bits')),
  ],
  [
    'a key of an odd curve',
    'weak-key',
    /the curve secp256k1 is not supported/,
    () => withKey(publicKey('secp256k1')),
  ],
  ['a key of an odd kind', 'bad-key', /of the kind ed448/, () => withKey(publicKey('Ed448'))],
];

describe('refused is', () => {
  test.each(REFUSED)('%s', async (_, code, message, given) => {
    const error = await verify(await given()).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ name: 'TrustError', code, message: expect.stringMatching(message) });
  });
});
