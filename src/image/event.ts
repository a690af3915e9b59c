import type { TrustEvent } from '../trust/index.ts';

/** What becomes of an image while it is fetched and imported, for whoever shows it. */
export type ImageEvent = OriginEvent | LayerEvent | DiskEvent | DelayEvent | SignatureEvent | ImportedEvent;

/** Where an image is taken from. `source` is the image string, as the user wrote it. */
type OriginEvent =
  /** Already in the store, nothing is read. */
  | { readonly kind: 'image-found'; readonly source: string; readonly id: string }
  /** Read from a local file or layout. */
  | { readonly kind: 'image-import'; readonly source: string }
  /** Somebody is asked where an image of this name is, or which one it is by now. */
  | { readonly kind: 'image-resolve'; readonly source: string }
  /** One of the pages where it could be said where an image is says nothing, and the next is asked. The reason names the page. */
  | { readonly kind: 'discovery-miss'; readonly reason: string }
  | { readonly kind: 'image-fetch'; readonly url: string }
  /** What the store has from there is still good by its server's own word: nothing is asked. */
  | { readonly kind: 'image-fresh'; readonly url: string };

/** `layer` is the digest of its blob, or what an archive that is its own only layer is called. */
type LayerEvent =
  /** After each piece: bytes of the blob that are there by now, those of an earlier attempt (`resumedFrom` of them) included. */
  | {
      readonly kind: 'layer-download';
      readonly layer: string;
      readonly read: number;
      readonly total: number | undefined;
      readonly resumedFrom?: number;
    }
  /** After each piece: bytes of the blob that have been read to extract it, perhaps while the rest of it is on its way. */
  | {
      readonly kind: 'layer-progress';
      readonly layer: string;
      readonly read: number;
      readonly total: number | undefined;
    }
  /** Extracted and in the store, whole. */
  | { readonly kind: 'layer-done'; readonly layer: string };

/** What machines read layers from. `layer` is the digest of the layer, of several in one the uppermost one's. */
type DiskEvent =
  /** Now and then: bytes of it that are written, of about so many. */
  | {
      readonly kind: 'disk-progress';
      readonly layer: string;
      readonly read: number;
      readonly total: number;
    }
  /** In the store, whole. */
  | { readonly kind: 'disk-done'; readonly layer: string }
  /** There will be none: machines have what is in it by other means. */
  | { readonly kind: 'disk-refused'; readonly reason: string };

/** Why nothing moves. */
type DelayEvent =
  /** Another process is at what is needed; `what` says at what: `layer sha256:...`. */
  | { readonly kind: 'wait'; readonly what: string }
  /** An attempt at `what` (a digest, a URL without credentials) failed and is repeated after that time. */
  | {
      readonly kind: 'retry';
      readonly what: string;
      readonly reason: string;
      readonly milliseconds: number;
    }
  /** One of several places to ask did not help (a mirror): the next one is asked. */
  | { readonly kind: 'passed-over'; readonly what: string; readonly reason: string };

type SignatureEvent =
  /** What becomes of the keys that an image's publisher announces. */
  | { readonly kind: 'trust'; readonly event: TrustEvent }
  | { readonly kind: 'signature-deferred'; readonly url: string }
  /** `identities` are those of the key that made it. */
  | {
      readonly kind: 'signature-verified';
      readonly fingerprint: string;
      readonly identities: readonly string[];
    };

interface ImportedEvent {
  readonly kind: 'image-imported';
  readonly source: string;
  readonly id: string;
  readonly milliseconds: number;
}
