import {
  type FetchCheck,
  type FetchContext,
  fetchImage,
  type ImportOptions,
  Network,
  type PullPolicy,
  parseReference,
} from '../../src/image/index.ts';
import type { ImageRecord, Store } from '../../src/store/index.ts';
import { openKeystore } from '../../src/trust/index.ts';

/** Brings an image into a store, without asking for a signature unless told to. Paths are relative to `directory`. */
export async function fetchLocal(
  store: Store,
  text: string,
  directory: string,
  options: Partial<ImportOptions> = {},
  insecure: readonly FetchCheck[] = ['image', 'http'],
  pullPolicy: PullPolicy = 'update',
): Promise<ImageRecord> {
  using pins = store.pins();
  const context = fetchContext(store, insecure);
  await using _network = context.network;
  const reference = parseReference(text, directory);
  return await fetchImage(context, { reference, pullPolicy }, { pins, extract: true, ...options });
}

/** What images are fetched with on a host where nothing is configured and nobody is trusted. */
export function fetchContext(store: Store, insecure: readonly FetchCheck[]): FetchContext {
  const checks = new Set(insecure);
  return {
    store,
    insecure: checks,
    network: new Network({
      configuration: { auth: new Map(), registries: new Map() },
      environment: {},
      leniency: { tls: checks.has('tls'), http: checks.has('http') },
      login: async () => undefined,
    }),
    trust: {
      keystore: openKeystore({ systemDirectory: '/nonexistent', localDirectory: '/nonexistent' }),
      policy: { skipReview: false, trustHttps: false, certificatesChecked: true, allowHttp: false },
      review: undefined,
    },
  };
}
