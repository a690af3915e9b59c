import type { ACIdentifier } from '../appc/index.ts';
import { requireClaim, trustDiscovered, verifyDetached } from '../trust/index.ts';
import type { FetchContext } from './context.ts';
import { ImageError } from './error.ts';
import type { ImportOptions } from './options.ts';
import { publisherKeys } from './publisher-keys.ts';

export interface SignedAci {
  readonly name: ACIdentifier;
  /** As it was fetched. */
  readonly path: string;
  readonly signature: Uint8Array;
}

/**
 * Checks what can be told of the signature of an ACI that is still to be fetched, as `verifyAci` does: nothing large comes for a signature
 * that will not count, and whoever is asked about keys is asked at once. @throws TrustError naming the check that failed
 */
export async function checkSigner(
  context: FetchContext,
  { name, signature }: Pick<SignedAci, 'name' | 'signature'>,
  options: ImportOptions,
): Promise<void> {
  await knowKeys(context, name, options);
  await requireClaim(context.trust.keystore, name, signature);
}

/**
 * Checks an ACI's detached signature by the keys that are trusted for its name; where there are none, those that its publisher
 * announces are offered for trust first. @throws TrustError naming the check that failed
 */
export async function verifyAci(
  context: FetchContext,
  { name, path, signature }: SignedAci,
  options: ImportOptions,
): Promise<void> {
  await knowKeys(context, name, options);
  const { keystore } = context.trust;
  const { fingerprint, identities } = await verifyDetached(keystore, name, path, signature, {
    signal: options.signal,
  });
  options.report?.({ kind: 'signature-verified', fingerprint, identities });
}

async function knowKeys(
  { insecure, network, trust }: FetchContext,
  name: ACIdentifier,
  { signal, report }: ImportOptions,
): Promise<void> {
  const { keystore, policy, review } = trust;
  if ((await keystore.keysFor(name)).length > 0) return;
  const keys = publisherKeys(network, { allowHttp: insecure.has('pubkey'), signal, report });
  // Where no publisher announces a key, it is the signature that nobody can check.
  const announced = await keys.discover(name).catch((error: unknown) => {
    if (error instanceof ImageError) return [];
    throw error;
  });
  await trustDiscovered(keystore, name, async () => announced, {
    policy,
    review,
    report: (event) => report?.({ kind: 'trust', event }),
    loadKey: keys.load,
  });
}
