import { ImageError, type ImageErrorCode } from './error.ts';
import { TarError } from './tar/index.ts';

const CODES: ReadonlySet<ImageErrorCode> = new Set(['digest-mismatch', 'decompression']);

/**
 * Whether an error is, or comes of, bytes that were not what they should be. What is there of them is worth nothing, and somebody else
 * may have the right ones.
 */
export function isDamage(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  return (
    error instanceof TarError ||
    (error instanceof ImageError && CODES.has(error.code)) ||
    isDamage(error.cause)
  );
}
