/** Names as the kernel has them: bytes, of which NUL and slash alone mean anything. */

/** One character (U+0000 to U+00FF) a byte: fit for comparing, cutting and as a key. */
export type ByteString = string;

export function byteString(bytes: Uint8Array): ByteString {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

function bytesOf(name: ByteString): Uint8Array {
  const bytes = new Uint8Array(name.length);
  for (let at = 0; at < name.length; at++) bytes[at] = name.charCodeAt(at);
  return bytes;
}

/** As a system call takes it. @throws TypeError for a NUL inside, behind which the kernel would not look */
export function terminated(name: ByteString): Uint8Array {
  if (name.includes('\0')) throw new TypeError('a name for the kernel holds a NUL');
  const bytes = new Uint8Array(name.length + 1);
  bytes.set(bytesOf(name));
  return bytes;
}
