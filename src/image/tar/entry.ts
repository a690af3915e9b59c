export type {
  Region,
  TarEntry as Entry,
  TarMetadata as Metadata,
  Timestamp,
} from '../../abi/tar.ts';

/** Bytes of a file's content and where they belong in it. */
export interface Piece {
  readonly offset: number;
  readonly bytes: Uint8Array;
}
