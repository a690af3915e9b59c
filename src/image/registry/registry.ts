import type { ContainerCredentials } from '../../config/index.ts';
import type { Descriptor } from '../../oci/index.ts';
import { ImageError } from '../error.ts';
import type { ImageEvent } from '../event.ts';
import type { HttpClient } from '../http/http.ts';
import type { OciSource, OciText, OpenedBytes, RemoteBytes } from '../source.ts';
import type { Bytes } from '../stream.ts';
import { type Blob, openBlob } from './blob.ts';
import { type Clock, systemClock } from './clock.ts';
import { Endpoint } from './endpoint.ts';
import { fetchManifest, headManifest, type ManifestHead } from './manifest.ts';
import { Places } from './places.ts';
import { DEFAULT_TAG, type RegistryReference } from './reference.ts';

export interface RegistryOptions {
  /** Decides what may be spoken to: any certificate, plain http. */
  readonly client: HttpClient;
  /** By `HOST[:PORT]`, asked for the registry and for each mirror; undefined: nobody is logged in there. */
  readonly credentials: (registry: string) => ContainerCredentials | undefined;
  /** `HOST[:PORT]`s that have the same repositories, to be asked first, in their order. */
  readonly mirrors?: readonly string[];
  /** Speak plain http where https is not spoken; the client has to allow it. */
  readonly insecureHttp: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly report?: ((event: ImageEvent) => void) | undefined;
  readonly clock?: Clock;
}

export interface RegistrySource extends OciSource {
  /** What the reference stands for now, if the server says it without sending it; does not count as a pull. */
  head(signal?: AbortSignal): Promise<ManifestHead | undefined>;
  /** What another tag or digest of the repository stands for; undefined: it is not there. */
  manifestOf(tagOrDigest: string, signal?: AbortSignal): Promise<OciText | undefined>;
  /** Asks no mirror again that has answered: what came was wrong. False: no mirror has, it is the registry's own. */
  leaveMirrors(error: Error): boolean;
}

/**
 * A repository over the registry API v2 (distribution-spec 1.1). Mirrors are asked first; one that fails in whatever way is passed over,
 * and not asked again unless it only lacked something. Nothing is asked before it is needed. Everything throws ImageError.
 */
export function openRegistry(reference: RegistryReference, options: RegistryOptions): RegistrySource {
  return new Repository(reference, options);
}

class Repository implements RegistrySource {
  /** What the reference stands for is asked by its digest, if it has one: a tag may have moved on. */
  readonly #named: string;
  readonly #places: Places;

  constructor({ registry, repository, tag, digest }: RegistryReference, options: RegistryOptions) {
    const { client, credentials, insecureHttp, signal, clock = systemClock } = options;
    const endpoint = (host: string) =>
      new Endpoint(host, repository, {
        client,
        clock,
        credentials: credentials(host),
        insecureHttp,
        signal,
      });
    const mirrors = (options.mirrors ?? []).map(endpoint);
    this.#named = digest ?? tag ?? DEFAULT_TAG;
    this.#places = new Places(mirrors, endpoint(registry), { clock, signal, report: options.report });
  }

  root(signal?: AbortSignal): Promise<OciText> {
    return this.#manifest(this.#named, signal);
  }

  head(signal?: AbortSignal): Promise<ManifestHead | undefined> {
    return this.#places.ask({
      what: `manifest ${this.#named}`,
      signal,
      reconnect: true,
      ask: (place, either) => headManifest(place, this.#named, either),
    });
  }

  async manifestOf(tagOrDigest: string, signal?: AbortSignal): Promise<OciText | undefined> {
    try {
      return await this.#manifest(tagOrDigest, signal);
    } catch (error) {
      if (error instanceof ImageError && error.code === 'not-found') return undefined;
      throw error;
    }
  }

  leaveMirrors(error: Error): boolean {
    return this.#places.leaveMirrors(error);
  }

  async document(descriptor: Descriptor, signal?: AbortSignal): Promise<string> {
    return (await this.#manifest(descriptor.digest, signal)).text;
  }

  blob(blob: Blob): RemoteBytes {
    return {
      open: (offset, signal) =>
        this.#places.ask({
          what: `blob ${blob.digest}`,
          signal,
          reconnect: false,
          ask: async (place, either) => {
            const opened = await openBlob(place, blob, offset, either);
            return { ...opened, bytes: this.#watched(place, blob, opened) };
          },
        }),
    };
  }

  #manifest(reference: string, signal: AbortSignal | undefined): Promise<OciText> {
    return this.#places.ask({
      what: `manifest ${reference}`,
      signal,
      reconnect: true,
      ask: (place, either) => fetchManifest(place, reference, either),
    });
  }

  // Whoever reads opens the blob again after a failure: then not at the mirror that has just failed.
  async *#watched(place: Endpoint, { digest, size }: Blob, { bytes, offset }: OpenedBytes): Bytes {
    let end = offset;
    try {
      for await (const chunk of bytes) {
        end += chunk.length;
        yield chunk;
      }
      if (end < size)
        throw new ImageError('network', `blob ${digest} broke off after ${end} of ${size} bytes`);
    } catch (error) {
      if (error instanceof ImageError) this.#places.passOver(place, error);
      throw error;
    }
  }
}
