import type { ByteString } from '../../abi/tar.ts';
import { quotation } from '../../appc/quotation.ts';

// Names in an archive need not be UTF-8, yet they are compared, split at slashes and kept as keys, which strings do and buffers
// do not.
export type { ByteString };

export function toByteString(bytes: Uint8Array): ByteString {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

export function fromByteString(text: ByteString): Buffer {
  return Buffer.from(text, 'latin1');
}

/** As a person reads it in an error message: UTF-8, quoted, control characters escaped, never longer than a line. */
export function showBytes(text: ByteString): string {
  const decoded = fromByteString(text).toString('utf8');
  return quotation(decoded.length > 200 ? `${decoded.slice(0, 200)}...` : decoded);
}
