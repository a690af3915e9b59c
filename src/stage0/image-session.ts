import { openContainerAuth } from '../config/index.ts';
import { type FetchContext, type ImportOptions, Network } from '../image/index.ts';
import { openStore, type Pins, type Store } from '../store/index.ts';
import { openKeystore } from '../trust/index.ts';
import type { Attention, Host } from './host.ts';

/**
 * What a command needs to deal with images: connections, and a hold on what it takes from the store, so that nobody removes it
 * meanwhile. Both end with it.
 */
export class ImageSession implements AsyncDisposable {
  readonly store: Store;
  readonly context: FetchContext;
  readonly options: ImportOptions;
  readonly #pins: Pins;
  readonly #network: Network;

  /** `authFiles` are further files of credentials, named by `--auth-file`. */
  constructor(host: Host, attention: Attention, authFiles: readonly string[] = []) {
    this.store = openStore(host.dataDirectory);
    this.#pins = this.store.pins();
    this.#network = networkOf(host, authFiles);
    const { report, signal } = attention;
    this.options = {
      pins: this.#pins,
      report,
      // Only root can give files to others and make devices: who is not leaves that to the first who needs it.
      extract: process.geteuid?.() === 0,
      ...(signal === undefined ? {} : { signal }),
    };
    this.context = {
      store: this.store,
      insecure: host.insecure,
      network: this.#network,
      trust: {
        keystore: openKeystore({ systemDirectory: host.systemConfig, localDirectory: host.localConfig }),
        policy: {
          skipReview: false,
          trustHttps: host.trustKeysFromHttps,
          certificatesChecked: !host.insecure.has('tls'),
          allowHttp: host.insecure.has('pubkey'),
        },
        review: attention.review,
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#pins[Symbol.dispose]();
    await this.#network[Symbol.asyncDispose]();
  }
}

function networkOf({ configuration, insecure }: Host, authFiles: readonly string[]): Network {
  const given = openContainerAuth({ given: authFiles, configured: [] });
  const configured = openContainerAuth({ given: [], configured: configuration.containerAuthFiles });
  return new Network({
    configuration,
    environment: process.env,
    leniency: { tls: insecure.has('tls'), http: insecure.has('http') },
    // What was named for this one command counts most.
    login: async (registry, repository, signal) =>
      (await given.lookup(registry, repository, signal)) ??
      configuration.dockerAuth.get(registry) ??
      (await configured.lookup(registry, repository, signal)),
  });
}
