import type { ByteString } from './bytes.ts';

/** Seconds since 1970, possibly negative, and nanoseconds counted upwards from there. */
export interface Timestamp {
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** Where stored bytes lie in a sparse file; everything between regions is a hole. */
export interface Region {
  readonly offset: number;
  readonly length: number;
}

export interface Metadata {
  /** As the archive has it: nothing is cleaned or refused at this level. */
  readonly path: ByteString;
  /** Permission bits with setuid, setgid and sticky (07777). */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: Timestamp;
  readonly xattrs: ReadonlyMap<ByteString, Uint8Array>;
}

export type Entry = Metadata &
  (
    | { readonly kind: 'file'; readonly size: number; readonly regions: readonly Region[] }
    | { readonly kind: 'directory' }
    | { readonly kind: 'symlink'; readonly target: ByteString }
    | { readonly kind: 'hardlink'; readonly target: ByteString }
    | { readonly kind: 'character' | 'block'; readonly major: number; readonly minor: number }
    | { readonly kind: 'fifo' }
  );

/** Bytes of a file's content and where they belong in it. */
export interface Piece {
  readonly offset: number;
  readonly bytes: Uint8Array;
}
