/** The pods that are registered: in memory, as their directories say all that is kept. Pure. */
import { isToken } from '../src/abi/metadata.ts';
import {
  type ACName,
  type ImageManifest,
  type PodManifest,
  type PodUUID,
  readImageManifest,
  readPodManifest,
} from '../src/appc/index.ts';
import { utf8Encode } from '../src/native/engine.ts';
import { sha512 } from './sha512.ts';

export interface Document<T> {
  /** As it was registered. */
  readonly text: string;
  readonly value: T;
}

export interface RegisteredPod {
  readonly uuid: PodUUID;
  readonly manifest: Document<PodManifest>;
  /** Of those of its apps that have been registered, by the apps' names. */
  readonly images: ReadonlyMap<string, Document<ImageManifest>>;
}

interface Entry extends RegisteredPod {
  readonly key: string;
  readonly images: Map<string, Document<ImageManifest>>;
}

export class Pods {
  readonly #byUuid = new Map<PodUUID, Entry>();
  readonly #byKey = new Map<string, Entry>();

  get size(): number {
    return this.#byUuid.size;
  }

  /** A pod that is registered already has the new manifest and the new token. @throws AppcError, TypeError for a bad token */
  register(uuid: PodUUID, token: string, text: string): void {
    if (!isToken(token)) throw new TypeError('a token is 32 hexadecimal digits');
    const manifest = { text, value: readPodManifest(text) };
    const known = this.#byUuid.get(uuid)?.images ?? new Map();
    const apps = new Set<string>(manifest.value.apps.map(({ name }) => name));
    const images = new Map([...known].filter(([app]) => apps.has(app)));
    this.remove(uuid);
    const entry = { uuid, key: keyOf(token), manifest, images };
    this.#byUuid.set(uuid, entry);
    this.#byKey.set(entry.key, entry);
  }

  /** False where there is no such pod, or no such app in its manifest. @throws AppcError */
  registerImage(uuid: PodUUID, app: ACName, text: string): boolean {
    const entry = this.#byUuid.get(uuid);
    if (entry === undefined || !entry.manifest.value.apps.some(({ name }) => name === app)) return false;
    entry.images.set(app, { text, value: readImageManifest(text) });
    return true;
  }

  /** False where it is not registered. */
  remove(uuid: PodUUID): boolean {
    const entry = this.#byUuid.get(uuid);
    if (entry === undefined) return false;
    this.#byKey.delete(entry.key);
    return this.#byUuid.delete(uuid);
  }

  /** Who asks is who he says only by this. */
  withToken(token: string): RegisteredPod | undefined {
    return isToken(token) ? this.#byKey.get(keyOf(token)) : undefined;
  }
}

/** How long it takes to compare two digests tells nothing of the tokens. */
function keyOf(token: string): string {
  return String.fromCharCode(...sha512(utf8Encode(token)));
}
