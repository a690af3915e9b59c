import {
  type FetchCheck,
  type FetchContext,
  fetchImage,
  type ImportOptions,
  parseReference,
} from '../../src/image/index.ts';
import type { ImageRecord, Store } from '../../src/store/index.ts';

/** Brings an image from a file or layout into a store, without asking for a signature. Paths are relative to `directory`. */
export async function fetchLocal(
  store: Store,
  text: string,
  directory: string,
  options: Partial<ImportOptions> = {},
  insecure: readonly FetchCheck[] = ['image'],
): Promise<ImageRecord> {
  using pins = store.pins();
  const reference = parseReference(text, directory);
  return await fetchImage(localContext(store, insecure), { reference }, { pins, extract: true, ...options });
}

function localContext(store: Store, insecure: readonly FetchCheck[]): FetchContext {
  return {
    store,
    insecure: new Set(insecure),
    verifier: {
      aci: async ({ name }) => {
        throw new Error(`nobody asked for the signature of ${name}`);
      },
    },
  };
}
