import type { Entry } from './entry.ts';
import { ImageBuildError } from './error.ts';

const block = 512;
const typeFlags = { file: '0', symlink: '2', character: '3', directory: '5' } as const;

/**
 * Writes a plain ustar archive (POSIX.1-1988) whose bytes depend on the entries alone: owners and times are
 * zero. Names of up to 100 bytes, which our own images keep to.
 */
export function writeTar(entries: readonly Entry[]): Uint8Array {
  const end = new Uint8Array(2 * block);
  return Buffer.concat([...entries.flatMap(record), end]);
}

function record(entry: Entry): Uint8Array[] {
  const bytes = entry.kind === 'file' ? entry.bytes : new Uint8Array();
  return [header(entry, bytes.length), bytes, new Uint8Array((block - (bytes.length % block)) % block)];
}

function header(entry: Entry, size: number): Uint8Array {
  const name = entry.kind === 'directory' ? `${entry.path}/` : entry.path;
  const link = entry.kind === 'symlink' ? entry.target : '';
  const [major, minor] = entry.kind === 'character' ? [entry.major, entry.minor] : [0, 0];
  const owner = octal(0, 8) + octal(0, 8);
  const time = octal(0, 12);
  const before = text(name, 100) + octal(entry.mode, 8) + owner + octal(size, 12) + time;
  const after = `${typeFlags[entry.kind]}${text(link, 100)}ustar\x0000${text('root', 32)}${text('root', 32)}${octal(major, 8)}${octal(minor, 8)}`;
  // The checksum is taken with its own field as spaces.
  const sum = Buffer.from(`${before}${' '.repeat(8)}${after}`, 'latin1').reduce(
    (total, byte) => total + byte,
    0,
  );
  const whole = Buffer.alloc(block);
  whole.write(`${before}${sum.toString(8).padStart(6, '0')}\0 ${after}`, 'latin1');
  return whole;
}

function octal(value: number, width: number): string {
  return `${value.toString(8).padStart(width - 1, '0')}\0`;
}

function text(value: string, width: number): string {
  const bytes = Buffer.from(value).toString('latin1');
  if (bytes.length > width)
    throw new ImageBuildError('BAD_ENTRY', `name longer than ${width} bytes: ${value}`);
  return bytes.padEnd(width, '\0');
}
