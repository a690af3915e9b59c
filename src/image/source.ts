import type { Descriptor, Digest } from '../oci/index.ts';
import type { Bytes } from './stream.ts';

/** Bytes that can be read from an offset on, again after they broke off. */
export interface RemoteBytes {
  /** They lie on this machine: nobody needs to be told that they come. */
  readonly isLocal?: true;
  open(offset: number, signal?: AbortSignal): Promise<OpenedBytes>;
}

export interface OpenedBytes {
  readonly bytes: Bytes;
  /** Where the bytes begin: 0 instead of the offset asked for when the other side cannot begin in the middle, or has something else by now. */
  readonly offset: number;
  /** Bytes of the whole, if the other side says. */
  readonly total: number | undefined;
}

/** An index or a manifest, as it was found. */
export interface OciText {
  readonly text: string;
  /** What led here calls it so; undefined: nobody has said. */
  readonly mediaType: string | undefined;
  readonly digest: Digest;
}

/** Where OCI and Docker images come from: a registry, a layout, an archive. Nobody trusts what it says. */
export interface OciSource {
  /** What the reference names. `digest` is that of the bytes. */
  root(signal?: AbortSignal): Promise<OciText>;
  /** A manifest or index that another document points at; checked against the descriptor by whoever asks. */
  document(descriptor: Descriptor, signal?: AbortSignal): Promise<string>;
  /** A layer or configuration. */
  blob(descriptor: { readonly digest: Digest; readonly size: number }): RemoteBytes;
}
