import type { ACIdentifier } from '../appc/index.ts';
import { GivenFileError, readGivenBytes } from '../os/given-file.ts';
import { TrustError } from './error.ts';
import { LARGEST_KEY, type PublicKey, readPublicKeys } from './key.ts';
import type { Keystore, StoredKey } from './keystore.ts';
import type { KeyScope } from './keystore-directories.ts';

/** What somebody is asked to look at: what the keys would be trusted for, where they are from, and whose they are. */
export interface KeyReview {
  readonly scope: KeyScope;
  /** A URL or a path. */
  readonly location: string;
  readonly keys: readonly PublicKey[];
}

/** What becomes of keys, for whoever tells people. */
export type TrustEvent =
  /** About to be trusted, or to be asked about. */
  | ({ readonly kind: 'key-found' } & KeyReview)
  | ({ readonly kind: 'key-declined' } & KeyReview)
  | ({ readonly kind: 'key-accepted'; readonly reviewed: boolean } & KeyReview)
  | ({ readonly kind: 'key-added'; readonly scope: KeyScope } & StoredKey);

/** Which keys need no look at their fingerprint, and which links may carry them. */
export interface KeyPolicy {
  /** `rkt trust --skip-fingerprint-review`. */
  readonly skipReview: boolean;
  /** `--trust-keys-from-https`. Has no effect where the other end's certificate is not checked. */
  readonly trustHttps: boolean;
  /** `--insecure-options=tls` is not given. */
  readonly certificatesChecked: boolean;
  /** `rkt trust --insecure-allow-http`, `--insecure-options=pubkey`: plain http counts as https does. */
  readonly allowHttp: boolean;
}

export interface KeySources {
  readonly policy: KeyPolicy;
  /** Fetches what is behind an http or https URL, of at most `limit` bytes. */
  readonly loadKey: (url: string, limit: number) => Promise<Uint8Array>;
  /** Asks a person; undefined where there is none to ask. */
  readonly review: ((review: KeyReview) => Promise<boolean>) | undefined;
  readonly report: (event: TrustEvent) => void;
}

const URL_SCHEME = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//;

/**
 * Trusts the keys at these places, URLs or files, once somebody has looked at each or need not. A declined one stays out, the others go on.
 * A file of several keys makes each of them trusted, in a file of its own.
 * @throws TrustError insecure, no-terminal, bad-key, too-large
 */
export async function trustKeys(
  keystore: Keystore,
  scope: KeyScope,
  locations: readonly string[],
  sources: KeySources,
): Promise<readonly StoredKey[]> {
  const stored: StoredKey[] = [];
  for (const location of locations) {
    const keys = await readPublicKeys(await load(location, sources), location);
    const found = { scope, location, keys };
    sources.report({ kind: 'key-found', ...found });
    const reviewed = !needsNoReview(location, sources.policy);
    if (reviewed && !(await ask(found, sources))) {
      sources.report({ kind: 'key-declined', ...found });
      continue;
    }
    sources.report({ kind: 'key-accepted', reviewed, ...found });
    for (const key of keys) {
      const added = keystore.add(scope, key);
      sources.report({ kind: 'key-added', scope, ...added });
      stored.push(added);
    }
  }
  return stored;
}

/**
 * What a fetch does before it verifies a signature: where no key is trusted for an image's name yet, those that its publisher announces
 * are looked at and trusted for that name. `discover` gives their URLs. @throws as `trustKeys`, and what `discover` throws
 */
export async function trustDiscovered(
  keystore: Keystore,
  name: ACIdentifier,
  discover: (prefix: ACIdentifier) => Promise<readonly string[]>,
  sources: KeySources,
): Promise<readonly StoredKey[]> {
  if ((await keystore.keysFor(name)).length > 0) return [];
  const urls = await discover(name);
  // A page on the network must not make a file of this host a key.
  const local = urls.find((url) => schemeOf(url) === undefined);
  if (local !== undefined)
    throw new TrustError('insecure', `key ${local}, announced for ${name}, is not a URL`);
  return trustKeys(keystore, { kind: 'prefix', prefix: name }, urls, sources);
}

async function load(location: string, { loadKey, policy }: KeySources): Promise<Uint8Array> {
  const scheme = schemeOf(location);
  switch (scheme) {
    case undefined:
      return readKeyFile(location);
    case 'https':
      return loadKey(location, LARGEST_KEY);
    case 'http':
      if (policy.allowHttp) return loadKey(location, LARGEST_KEY);
      throw new TrustError(
        'insecure',
        `key ${location} would come over plain http: trust needs --insecure-allow-http for that, other commands --insecure-options=pubkey`,
      );
    default:
      throw new TrustError('insecure', `key ${location}: only files and http or https URLs are supported`);
  }
}

function needsNoReview(location: string, policy: KeyPolicy): boolean {
  if (policy.skipReview) return true;
  if (!policy.trustHttps) return false;
  const scheme = schemeOf(location);
  return (scheme === 'https' && policy.certificatesChecked) || (scheme === 'http' && policy.allowHttp);
}

function ask(found: KeyReview, { review }: KeySources): Promise<boolean> {
  if (review !== undefined) return review(found);
  throw new TrustError(
    'no-terminal',
    `unable to ask user to review fingerprint due to lack of tty: ${waysOut(found)}`,
  );
}

function waysOut({ scope, location }: KeyReview): string {
  if (schemeOf(location) === undefined)
    return 'run rkt trust at a terminal, or with --skip-fingerprint-review';
  const by = scope.kind === 'root' ? '--root' : `--prefix ${JSON.stringify(scope.prefix)}`;
  return `call rkt with --trust-keys-from-https, or run at a terminal: rkt trust ${by}`;
}

function schemeOf(location: string): string | undefined {
  return URL_SCHEME.exec(location)?.[1]?.toLowerCase();
}

// A pipe, too: `rkt trust --root <(gpg --export KEY)`.
function readKeyFile(path: string): Uint8Array {
  try {
    return readGivenBytes(path, LARGEST_KEY);
  } catch (cause) {
    const isTooLarge = cause instanceof GivenFileError && cause.code === 'too-large';
    throw new TrustError(isTooLarge ? 'too-large' : 'bad-key', `error accessing the key ${path}`, { cause });
  }
}
