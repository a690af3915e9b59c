import type { ACIdentifier } from '../appc/index.ts';
import { trustDiscovered, verifyDetached } from '../trust/index.ts';
import type { FetchContext } from './context.ts';
import { discoverPublicKeys } from './discovery/index.ts';
import { ImageError } from './error.ts';
import { readBytes } from './http/response.ts';
import { showUrl } from './http/url.ts';
import type { ImportOptions } from './options.ts';
import { badStatus } from './remote-aci/status.ts';

const OK = 200;

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
  const allowHttp = insecure.has('pubkey');
  const client = network.client({ tls: false, http: allowHttp });
  const { keystore, policy, review } = trust;
  const discover = (prefix: ACIdentifier) =>
    discoverPublicKeys(client, prefix, {
      insecureHttp: allowHttp,
      credentials: network.authentication,
      signal,
    });
  // Where no publisher announces a key, it is the signature that nobody can check.
  const announced = await discover(name).catch((error: unknown) => {
    if (error instanceof ImageError) return [];
    throw error;
  });
  await trustDiscovered(keystore, name, async () => announced, {
    policy,
    review,
    report: (event) => report?.({ kind: 'trust', event }),
    loadKey: async (url, limit) => {
      const response = await client.send({ url, signal });
      if (response.status === OK) return readBytes(response, limit, `key ${showUrl(new URL(url))}`);
      await response.discard();
      throw badStatus(response);
    },
  });
}
