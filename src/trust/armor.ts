import { TrustError, type TrustErrorCode } from './error.ts';

/** What an armored file may hold (RFC 9580, 6.2.1). */
export type ArmorLabel = 'SIGNATURE' | 'PUBLIC KEY BLOCK';

const BEGIN = /^-----BEGIN PGP ([A-Z0-9 ,/]+)-----$/;
const CHECKSUM = /^=([A-Za-z0-9+/]{4})$/;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/**
 * The packets of an OpenPGP file, armored or binary. Text around armor is passed over, and of several blocks one
 * follows the other, as `cat a.asc b.asc` means it. `name` and `code` are for the error.
 * @throws TrustError of that code
 */
export function dearmor(
  file: Uint8Array,
  label: ArmorLabel,
  name: string,
  code: TrustErrorCode & ('malformed-signature' | 'bad-key'),
): Uint8Array {
  if (isBinary(file)) return file;
  const refuse = (problem: string) => new TrustError(code, `${name}: ${problem}`);
  const blocks: Uint8Array[] = [];
  let open: { readonly end: string; readonly lines: string[] } | undefined;
  for (const line of linesOf(file)) {
    const found = BEGIN.exec(line)?.[1];
    if (found !== undefined) {
      if (found !== label) throw refuse(`expected armor of a PGP ${label}, found a PGP ${found}`);
      if (open !== undefined) throw refuse('armor begins before the one before it has ended');
      open = { end: `-----END PGP ${label}-----`, lines: [] };
    } else if (line === open?.end) {
      blocks.push(decode(open.lines, refuse));
      open = undefined;
    } else open?.lines.push(line);
  }
  if (open !== undefined) throw refuse('armor is truncated: it has no end');
  if (blocks.length === 0) throw refuse(`neither binary OpenPGP nor armor of a PGP ${label}`);
  return Buffer.concat(blocks);
}

/** Every packet begins with a byte that no text begins with. */
export function isBinary(file: Uint8Array): boolean {
  return ((file[0] ?? 0) & 0x80) !== 0;
}

function linesOf(file: Uint8Array): string[] {
  const text = Buffer.from(file.buffer, file.byteOffset, file.byteLength).toString('latin1');
  return text.split('\n').map((line) => line.trimEnd());
}

function decode(lines: readonly string[], refuse: (problem: string) => TrustError): Uint8Array {
  const blank = lines.indexOf('');
  if (blank === -1) throw refuse('armor has no empty line before its data');
  const data = lines.slice(blank + 1).filter((line) => line !== '');
  const checksum = CHECKSUM.exec(data.at(-1) ?? '')?.[1];
  const base64 = (checksum === undefined ? data : data.slice(0, -1)).join('');
  if (!BASE64.test(base64) || base64.length % 4 !== 0) throw refuse('armor is damaged: not base64');
  const bytes = Buffer.from(base64, 'base64');
  // Newer programs leave the checksum out; one that is there and wrong tells of damage better than what follows would.
  if (checksum !== undefined && !Buffer.from(checksum, 'base64').equals(crc24(bytes)))
    throw refuse('armor is damaged: its checksum does not match');
  return bytes;
}

/** RFC 9580, 6.1. */
function crc24(bytes: Uint8Array): Buffer {
  let crc = 0xb704ce;
  for (const byte of bytes) {
    crc ^= byte << 16;
    for (let bit = 0; bit < 8; bit++) {
      crc <<= 1;
      if ((crc & 0x1000000) !== 0) crc ^= 0x1864cfb;
    }
  }
  const checksum = Buffer.alloc(3);
  checksum.writeUIntBE(crc & 0xffffff, 0, 3);
  return checksum;
}
