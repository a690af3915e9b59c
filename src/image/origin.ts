import type { ACIdentifier, Label } from '../appc/index.ts';
import type { RegistryReference } from './registry/reference.ts';

/** Where an image comes from, or how it is to be found. */
export type ImageOrigin =
  /** Found by discovery. The labels are in the order of their names. */
  | { readonly kind: 'appc-name'; readonly name: ACIdentifier; readonly labels: readonly Label[] }
  /** An ACI behind http or https. */
  | { readonly kind: 'aci-url'; readonly url: string }
  | { readonly kind: 'aci-file'; readonly path: string }
  | { readonly kind: 'docker'; readonly reference: RegistryReference }
  | TaggedOrigin;

/** What has several images in it. Paths are absolute. */
export type TaggedOrigin = Tagged<'oci-layout'> | Tagged<'oci-archive'> | Tagged<'docker-archive'>;

interface Tagged<K extends string> {
  readonly kind: K;
  readonly path: string;
  /** What the image is called in there; in a Docker archive `REPOSITORY[:TAG]`. Undefined: the only one. */
  readonly tag: string | undefined;
}
