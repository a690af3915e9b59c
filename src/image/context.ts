import type { ImageManifest } from '../appc/index.ts';
import type { Store } from '../store/index.ts';

/** What may be gone without, in the words of `--insecure-options`. */
export type FetchCheck = 'image' | 'tls' | 'http' | 'pubkey';

/** What images are fetched with: where to, and what is asked of them. */
export interface FetchContext {
  readonly store: Store;
  readonly insecure: { has(check: FetchCheck): boolean };
  readonly verifier: Verifier;
}

/** Decides whether an image is one that the operator trusts. */
export interface Verifier {
  /**
   * Checks the detached signature of an ACI that lies at `path`, as it was fetched. @throws TrustError naming the check that failed
   */
  aci(request: {
    readonly name: ImageManifest['name'];
    readonly path: string;
    readonly signature: Uint8Array;
  }): Promise<void>;
}
