import { createHash } from 'node:crypto';
import { arrayOf, fields, integer, type Refuse } from '../appc/json.ts';
import { documentCursor, parseJsonText } from '../appc/json-document.ts';
import { type Descriptor, readDescriptor } from '../oci/descriptor.ts';
import {
  type Digest,
  type DockerReference,
  digestAlgorithm,
  digestHex,
  repositoryName,
} from '../oci/index.ts';
import { manifestLimits } from '../oci/limits.ts';
import { type CosignKey, fitsKey, parseCosignKey } from './cosign-key.ts';
import { noneGood, TrustError } from './error.ts';
import { LARGEST_SIGNATURE, MOST_SIGNATURES } from './signature.ts';
import { readStatement, requireStatementOf } from './statement.ts';

const STATEMENT_MEDIA_TYPE = 'application/vnd.dev.cosign.simplesigning.v1+json';
const SIGNATURE_ANNOTATION = 'dev.cosignproject.cosign/signature';
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

export interface CosignSignatures {
  /** The text of the manifest that `cosignTag` names. */
  readonly manifest: string;
  /** A blob of the same repository; its digest is checked here. */
  readonly loadBlob: (descriptor: Descriptor) => Promise<Uint8Array>;
  readonly manifestDigest: Digest;
  /** What the user asked for. */
  readonly reference: DockerReference;
  /** Public keys as PEM; the signature of one is enough. */
  readonly keys: readonly string[];
}

/** The tag under which cosign keeps the signatures of a manifest, in the manifest's own repository. */
export function cosignTag(digest: Digest): string {
  return `${digestAlgorithm(digest)}-${digestHex(digest)}.sig`;
}

/**
 * Verifies that one of the signatures that cosign has put beside an image is by one of the keys and about this image (cosign, SIGNATURE_SPEC.md).
 * Certificates and transparency logs are not looked at: a key is what makes trust here. Gives the key's fingerprint.
 * @throws TrustError by its code, the check that failed
 */
export async function verifyCosign(signed: CosignSignatures): Promise<{ readonly fingerprint: string }> {
  const keys = signed.keys.map(parseCosignKey);
  const refusals: TrustError[] = [];
  for (const layer of signatureLayers(signed.manifest)) {
    try {
      return { fingerprint: await verifyLayer(layer, keys, signed) };
    } catch (error) {
      if (!(error instanceof TrustError)) throw error;
      refusals.push(error);
    }
  }
  throw noneGood(refusals, repositoryName(signed.reference));
}

async function verifyLayer(
  layer: Descriptor,
  keys: readonly CosignKey[],
  { loadBlob, manifestDigest, reference }: CosignSignatures,
): Promise<string> {
  const signature = layer.annotations[SIGNATURE_ANNOTATION] ?? '';
  if (!BASE64.test(signature))
    throw new TrustError('malformed-signature', `cosign signature ${layer.digest} is not base64`);
  if (layer.size > LARGEST_SIGNATURE)
    throw new TrustError('too-large', `cosign statement ${layer.digest} has ${layer.size} bytes`);
  const payload = requireDigest(await loadBlob(layer), layer.digest);
  const key = keys.find((candidate) => fitsKey(candidate, payload, Buffer.from(signature, 'base64')));
  if (key === undefined) {
    const whose = keys.length === 1 ? `key ${keys[0]?.fingerprint}` : `any of ${keys.length} keys`;
    throw new TrustError('invalid-signature', `cosign signature ${layer.digest} is not by ${whose}`);
  }
  requireStatementOf(readStatement(payload, 'cosign container image signature'), manifestDigest, reference);
  return key.fingerprint;
}

// Such a manifest is none of an image: its layers are statements.
function signatureLayers(manifest: string): readonly Descriptor[] {
  const json = parseJsonText(manifest, refuse, manifestLimits);
  const document = fields(documentCursor(json, refuse, manifestLimits));
  document.required('schemaVersion', integer(2, 2));
  const layers = document
    .required('layers', arrayOf(readDescriptor))
    .filter(({ mediaType }) => mediaType === STATEMENT_MEDIA_TYPE);
  if (layers.length <= MOST_SIGNATURES) return layers;
  throw new TrustError(
    'too-large',
    `${layers.length} cosign signatures, at most ${MOST_SIGNATURES} are allowed`,
  );
}

const refuse: Refuse = (_, path, problem, cause) =>
  new TrustError('malformed-signature', `cosign manifest: ${path === '' ? '' : `${path}: `}${problem}`, {
    cause,
  });

function requireDigest(payload: Uint8Array, digest: Digest): Uint8Array {
  const found = createHash(digestAlgorithm(digest)).update(payload).digest('hex');
  if (found === digestHex(digest)) return payload;
  throw new TrustError(
    'malformed-signature',
    `cosign statement ${digest} has the digest of another: ${found}`,
  );
}
