import type { ACIdentifier } from '../appc/index.ts';
import { TrustError } from '../trust/index.ts';
import { authenticationFor } from './authentication.ts';
import { discoverPublicKeys } from './discovery/index.ts';
import type { ImageEvent } from './event.ts';
import { readBytes } from './http/response.ts';
import { showUrl } from './http/url.ts';
import type { Network } from './network.ts';
import { badStatus } from './remote-aci/status.ts';

const OK = 200;

export interface PublisherKeysOptions {
  /** Whether keys may come by plain http, whatever else may. */
  readonly allowHttp: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly report?: ((event: ImageEvent) => void) | undefined;
}

/** Public keys on the network, which are only fetched here: whether to trust them is asked elsewhere. */
export interface PublisherKeys {
  /** The URLs of the keys that the publisher of a name announces. @throws ImageError discovery */
  discover(prefix: ACIdentifier): Promise<readonly string[]>;
  /** @throws ImageError; TrustError insecure where the key would come by plain http in the end */
  load(url: string, limit: number): Promise<Uint8Array>;
}

export function publisherKeys(network: Network, options: PublisherKeysOptions): PublisherKeys {
  const { allowHttp, signal, report } = options;
  const client = network.client({ tls: false, http: allowHttp });
  const credentials = network.authentication;
  return {
    discover: (prefix) =>
      discoverPublicKeys(client, prefix, { insecureHttp: allowHttp, credentials, signal, report }),
    load: async (url, limit) => {
      const response = await client.send({ url, headers: authenticationFor(url, credentials), signal });
      const place = showUrl(new URL(response.url));
      // The client may be allowed plain http for images, to which their signatures have to be proof against.
      if (response.status === OK && (allowHttp || response.url.startsWith('https:')))
        return readBytes(response, limit, `key ${place}`);
      await response.discard();
      if (response.status !== OK) throw badStatus(response);
      throw new TrustError(
        'insecure',
        `key ${url}: plain http is not allowed, but that is where it redirects to`,
      );
    },
  };
}
