import type { Store } from '../store/index.ts';
import type { KeyPolicy, KeyReview, Keystore } from '../trust/index.ts';
import type { Network } from './network.ts';

/** What may be gone without, in the words of `--insecure-options`. */
export type FetchCheck = 'image' | 'tls' | 'http' | 'pubkey';

/** What images are fetched with: where to, and what is asked of them. */
export interface FetchContext {
  readonly store: Store;
  readonly insecure: { has(check: FetchCheck): boolean };
  readonly network: Network;
  readonly trust: TrustContext;
}

/** Whom the operator trusts. */
export interface TrustContext {
  readonly keystore: Keystore;
  readonly policy: KeyPolicy;
  /** Asks a person about a key; undefined where there is none to ask. */
  readonly review: ((review: KeyReview) => Promise<boolean>) | undefined;
}

/** When to ask where an image comes from: `new`: when the store has none; `update`: whether it has another by now. */
export type PullPolicy = 'never' | 'new' | 'update';
