import { AppcError, parseACIdentifier } from '../appc/index.ts';
import { Network } from '../image/index.ts';
import { publisherKeys } from '../image/publisher-keys.ts';
import { type KeyReview, type KeyScope, openKeystore, type TrustEvent, trustKeys } from '../trust/index.ts';
import { Stage0Error } from './errors.ts';
import type { Host } from './host.ts';

export type { KeyReview, KeyScope, TrustEvent };

export interface TrustRequest {
  /** What the keys are for: images whose name begins with the elements of a prefix; undefined: every image. */
  readonly prefix: string | undefined;
  /** URLs and paths of keys; none: those that the prefix's owner announces. */
  readonly locations: readonly string[];
  readonly skipReview: boolean;
  /** Take keys by plain http. */
  readonly allowHttp: boolean;
}

export interface TrustAttention {
  readonly report: (event: TrustEvent) => void;
  /** Whether somebody trusts a key; absent where there is nobody to ask. */
  readonly review?: (review: KeyReview) => Promise<boolean>;
  readonly signal?: AbortSignal;
}

/**
 * Trusts keys for the images of a prefix, or for all, as far as somebody who has looked at them agrees. @throws Stage0Error
 * bad-request; TrustError; ImageError
 */
export async function trust(
  host: Host,
  { prefix, locations, skipReview, allowHttp }: TrustRequest,
  { report, review, signal }: TrustAttention,
): Promise<void> {
  const scope = scopeOf(prefix);
  const insecureTls = host.insecure.has('tls');
  const policy = {
    skipReview,
    trustHttps: host.trustKeysFromHttps,
    certificatesChecked: !insecureTls,
    allowHttp: allowHttp || host.insecure.has('pubkey'),
  };
  await using network = new Network({
    configuration: host.configuration,
    environment: process.env,
    leniency: { tls: insecureTls, http: false },
    login: async () => undefined,
  });
  const keys = publisherKeys(network, { allowHttp: policy.allowHttp, signal });
  const places = locations.length > 0 ? locations : await announced(scope, keys.discover);
  const keystore = openKeystore({ systemDirectory: host.systemConfig, localDirectory: host.localConfig });
  await trustKeys(keystore, scope, places, { policy, loadKey: keys.load, review, report });
}

function scopeOf(prefix: string | undefined): KeyScope {
  if (prefix === undefined) return { kind: 'root' };
  try {
    return { kind: 'prefix', prefix: parseACIdentifier(prefix) };
  } catch (cause) {
    if (!(cause instanceof AppcError)) throw cause;
    throw new Stage0Error(
      'bad-request',
      `prefix ${JSON.stringify(prefix)} is no beginning of an image name`,
      { cause },
    );
  }
}

function announced(
  scope: KeyScope,
  discover: ReturnType<typeof publisherKeys>['discover'],
): Promise<readonly string[]> {
  if (scope.kind === 'prefix') return discover(scope.prefix);
  throw new Stage0Error(
    'bad-request',
    'keys for every image are not announced anywhere: name a file or a URL',
  );
}
