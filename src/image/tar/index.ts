export { ByteSource, type Feed, feedOf } from './byte-source.ts';
export { type ByteString, fromByteString, showBytes, toByteString } from './bytes.ts';
export type { Entry, Metadata, Piece, Timestamp } from './entry.ts';
export { TarError, type TarErrorCode } from './error.ts';
export { DEFAULT_TAR_LIMITS, type TarLimits } from './limits.ts';
export { type TarOptions, TarReader } from './reader.ts';
