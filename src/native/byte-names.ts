/** Names as the kernel has them: bytes, of which NUL and slash alone mean anything. */
import { utf8Decode } from './engine.ts';

/** One character (U+0000 to U+00FF) a byte: fit for comparing, cutting and as a key. */
export type ByteString = string;

/** An argument list can be that long on any stack. */
const PIECE = 1024;

export function byteString(bytes: Uint8Array): ByteString {
  let text = '';
  for (let at = 0; at < bytes.length; at += PIECE)
    text += String.fromCharCode(...bytes.subarray(at, at + PIECE));
  return text;
}

/** As a system call takes it. @throws TypeError for a NUL inside, behind which the kernel would not look */
export function kernelName(name: ByteString): string | Uint8Array {
  // Nearly all names are so, and the engine passes them on by itself.
  if (/^[\x01-\x7f]*$/.test(name)) return name;
  if (name.includes('\0')) throw new TypeError('a name for the kernel holds a NUL');
  const bytes = new Uint8Array(name.length + 1);
  bytes.set(bytesOf(name));
  return bytes;
}

/** For people: quoted, as UTF-8, and no longer than a line. */
export function shownName(name: ByteString): string {
  return JSON.stringify(utf8Decode(bytesOf(name.slice(0, 200))));
}

function bytesOf(name: ByteString): Uint8Array {
  const bytes = new Uint8Array(name.length);
  for (let at = 0; at < name.length; at++) bytes[at] = name.charCodeAt(at);
  return bytes;
}
