/** What pods have the service sign (appc 0.8.11, ace.md, "Identity Endpoint"): each with its name, and no other can. Pure. */
import type { PodUUID } from '../src/appc/index.ts';
import { encodeBase64 } from '../src/supervisor/plan/base64.ts';
import { DIGEST_BYTES, hmacSha512 } from './sha512.ts';

/** As long as what it signs with takes. */
export const KEY_BYTES = DIGEST_BYTES;

/** 64 bytes in base64. */
const SIGNATURE = /^[A-Za-z0-9+/]{86}==$/;

export class Signer {
  readonly #key: Uint8Array;

  constructor(key: Uint8Array) {
    if (key.length !== KEY_BYTES) throw new RangeError(`a key has ${KEY_BYTES} bytes, not ${key.length}`);
    this.#key = key;
  }

  /** The pod's name comes first, and is as long as any other: no content can pass for it. */
  sign(uuid: PodUUID, content: Uint8Array): string {
    return encodeBase64(hmacSha512(this.#key, octetsOf(uuid), content));
  }

  /** Whether the pod had it signed; undefined for what is no signature. */
  verify(uuid: PodUUID, content: Uint8Array, signature: string): boolean | undefined {
    if (!SIGNATURE.test(signature)) return undefined;
    const expected = this.sign(uuid, content);
    // As long whatever is wrong: it must not be found letter by letter.
    let difference = 0;
    for (let at = 0; at < expected.length; at++)
      difference |= expected.charCodeAt(at) ^ signature.charCodeAt(at);
    return difference === 0;
  }
}

function octetsOf(uuid: PodUUID): Uint8Array {
  const digits = uuid.replaceAll('-', '').match(/../g) ?? [];
  return Uint8Array.from(digits.map((pair) => Number.parseInt(pair, 16)));
}
