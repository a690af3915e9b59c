import type { FetchContext, ImportOptions } from '../image/index.ts';
import type { Pins, Store } from '../store/index.ts';
import type { Attention, Host } from './host.ts';

/** What images are fetched with on this host. */
export function fetchContext(host: Host, store: Store): FetchContext {
  return {
    store,
    insecure: host.insecure,
    verifier: {
      aci: async ({ name }) => {
        throw new Error(name);
      },
    },
  };
}

/** Only root can give files to others and make devices: who is not leaves the extraction to the first who needs it. */
export function importOptions(pins: Pins, { report, signal }: Attention): ImportOptions {
  return { pins, report, extract: process.geteuid?.() === 0, ...(signal === undefined ? {} : { signal }) };
}
