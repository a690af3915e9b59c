import type { ACIdentifier } from '../appc/index.ts';
import { trustDiscovered, verifyDetached } from '../trust/index.ts';
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
 * Checks an ACI's detached signature by the keys that are trusted for its name; where there are none, those that its publisher
 * announces are offered for trust first. @throws TrustError naming the check that failed
 */
export async function verifyAci(
  context: FetchContext,
  { name, path, signature }: SignedAci,
  options: ImportOptions,
): Promise<void> {
  const { keystore } = context.trust;
  if ((await keystore.keysFor(name)).length === 0) await offerKeys(context, name, options);
  const { fingerprint, identities } = await verifyDetached(keystore, name, path, signature, {
    signal: options.signal,
  });
  options.report?.({ kind: 'signature-verified', fingerprint, identities });
}

async function offerKeys(
  { insecure, network, trust }: FetchContext,
  name: ACIdentifier,
  { signal, report }: ImportOptions,
): Promise<void> {
  const keys = publisherKeys(network, { allowHttp: insecure.has('pubkey'), signal, report });
  const { keystore, policy, review } = trust;
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
