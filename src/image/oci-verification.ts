import { sanitizeACIdentifier } from '../appc/index.ts';
import type { RegistryConfig } from '../config/index.ts';
import { type Descriptor, type Digest, type DockerReference, parseDockerReference } from '../oci/index.ts';
import { readGivenText } from '../os/given-file.ts';
import { cosignTag, loadLookaside, TrustError, verifyCosign, verifySimpleSigning } from '../trust/index.ts';
import type { FetchContext } from './context.ts';
import { ImageError } from './error.ts';
import { readBytes } from './http/response.ts';
import type { FoundImage } from './oci.ts';
import type { ImportOptions } from './options.ts';
import { formatRegistryReference, type RegistryReference } from './registry/reference.ts';
import type { RegistrySource } from './registry/registry.ts';
import { badStatus } from './remote-aci/status.ts';

const [OK, NOT_FOUND] = [200, 404];
/** In bytes: a public key has some hundred. */
const LARGEST_KEY = 64 * 1024;

export interface SignedImage {
  readonly reference: RegistryReference;
  readonly registry: RegistrySource;
  readonly found: FoundImage;
}

/** A way to verify an image, for one of the manifests that lead to it. Undefined: there is no signature of that kind. */
type Check = (
  digest: Digest,
) => Promise<{ readonly fingerprint: string; readonly identities: readonly string[] } | undefined>;

/**
 * Checks the signature of an image in a registry, before any of its layers is fetched: simple signing by the keystore's keys, cosign's by
 * those of the configuration. One good signature is enough, of the index that the name leads to or of the manifest for this
 * platform. @throws TrustError naming the check that failed; ImageError unverified where the configuration names no way
 */
export async function verifyOci(
  context: FetchContext,
  image: SignedImage,
  options: ImportOptions,
): Promise<void> {
  const { registry: host } = image.reference;
  const checks = checksOf(context, image, context.network.registry(host), options);
  if (checks.length === 0)
    throw new ImageError(
      'unverified',
      `nothing says where signatures of images from ${host} are: configure lookaside or cosignKeys for the registry, or go without (--insecure-options=image)`,
    );
  const refusals: TrustError[] = [];
  for (const digest of new Set([image.found.rootDigest, image.found.manifestDigest])) {
    for (const check of checks) {
      try {
        const verified = await check(digest);
        if (verified === undefined) continue;
        options.report?.({ kind: 'signature-verified', ...verified });
        return;
      } catch (error) {
        if (!(error instanceof TrustError)) throw error;
        refusals.push(error);
      }
    }
  }
  const [refusal] = refusals;
  throw (
    refusal ?? new TrustError('unsigned', `image ${formatRegistryReference(image.reference)} is not signed`)
  );
}

function checksOf(
  context: FetchContext,
  image: SignedImage,
  config: RegistryConfig | undefined,
  options: ImportOptions,
): Check[] {
  const { lookaside, cosignKeys = [] } = config ?? {};
  return [
    ...(lookaside === undefined ? [] : [simpleSigning(context, image.reference, lookaside, options)]),
    ...(cosignKeys.length === 0 ? [] : [cosign(image, cosignKeys, options)]),
  ];
}

function simpleSigning(
  { network, trust }: FetchContext,
  reference: RegistryReference,
  base: string,
  { signal }: ImportOptions,
): Check {
  const load = async (url: string, limit: number) => {
    const response = await network.client().send({ url, headers: network.authentication(url), signal });
    if (response.status === OK) return readBytes(response, limit, 'signature');
    await response.discard();
    if (response.status === NOT_FOUND) return undefined;
    throw badStatus(response);
  };
  return async (manifestDigest) => {
    const signatures = await loadLookaside(base, reference.repository, manifestDigest, load);
    if (signatures.length === 0) return undefined;
    return verifySimpleSigning(
      {
        signatures,
        manifestDigest,
        reference: dockerReference(reference),
        keystore: trust.keystore,
        keyName: sanitizeACIdentifier(`${reference.registry}/${reference.repository}`),
      },
      { signal },
    );
  };
}

function cosign(
  { reference, registry }: SignedImage,
  keyFiles: readonly string[],
  { signal }: ImportOptions,
): Check {
  const loadBlob = async (descriptor: Descriptor) => {
    const { bytes } = await registry.blob(descriptor).open(0, signal);
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of bytes) {
      length += chunk.length;
      if (length > descriptor.size)
        throw new ImageError('digest-mismatch', `blob ${descriptor.digest} is longer than it should be`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  };
  return async (manifestDigest) => {
    const manifest = await registry.manifestOf(cosignTag(manifestDigest), signal);
    if (manifest === undefined) return undefined;
    const keys = keyFiles.map(readKey);
    const { fingerprint } = await verifyCosign({
      manifest: manifest.text,
      loadBlob,
      manifestDigest,
      reference: dockerReference(reference),
      keys,
    });
    return { fingerprint, identities: [] };
  };
}

function readKey(path: string): string {
  try {
    return readGivenText(path, LARGEST_KEY);
  } catch (cause) {
    throw new ImageError('unverified', `unable to read the cosign key ${path}`, { cause });
  }
}

// A signature says what the image was called when it was signed; by Docker's own registry's other name, too.
function dockerReference(reference: RegistryReference): DockerReference {
  return parseDockerReference(formatRegistryReference(reference));
}
