const BLOCK = 512;

/** A header as a test wants it, right or wrong. Numbers are written in octal, buffers as they stand. */
export interface TestHeader {
  readonly name?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly size?: number | Buffer;
  readonly mtime?: number | Buffer;
  readonly type?: string;
  readonly link?: string;
  readonly major?: number;
  readonly minor?: number;
  readonly prefix?: string;
  readonly magic?: string;
  /** Written last, over everything but the checksum. */
  readonly patch?: (block: Buffer) => void;
}

/** Whoever runs the test. */
export const OWN = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };

/** One header block. Owned by whoever runs the test, so that it can be extracted without privileges. */
export function header(fields: TestHeader): Buffer {
  const block = Buffer.alloc(BLOCK);
  block.write(fields.name ?? 'file', 0, 100, 'latin1');
  octal(block, 100, 8, fields.mode ?? 0o644);
  octal(block, 108, 8, fields.uid ?? OWN.uid);
  octal(block, 116, 8, fields.gid ?? OWN.gid);
  octal(block, 124, 12, fields.size ?? 0);
  octal(block, 136, 12, fields.mtime ?? 1_600_000_000);
  block.write(fields.type ?? '0', 156, 'latin1');
  block.write(fields.link ?? '', 157, 100, 'latin1');
  block.write(fields.magic ?? 'ustar\x0000', 257, 8, 'latin1');
  octal(block, 329, 8, fields.major ?? 0);
  octal(block, 337, 8, fields.minor ?? 0);
  block.write(fields.prefix ?? '', 345, 155, 'latin1');
  fields.patch?.(block);
  return withChecksum(block);
}

/** A header and its content. */
export function entry(fields: TestHeader, content: string | Buffer = ''): Buffer {
  const body = Buffer.from(content);
  return Buffer.concat([header({ size: body.length, ...fields }), padded(body)]);
}

export const file = (name: string, content: string | Buffer = '', more: TestHeader = {}) =>
  entry({ name, ...more }, content);
export const directory = (name: string, more: TestHeader = {}) =>
  entry({ name, type: '5', mode: 0o755, ...more });
export const symlink = (name: string, link: string) => entry({ name, type: '2', mode: 0o777, link });
export const hardlink = (name: string, link: string) => entry({ name, type: '1', link });

/** A pax header for the next entry (or, with type `g`, for all). */
export function pax(
  records: ReadonlyArray<readonly [key: string, value: string | Buffer]>,
  type = 'x',
): Buffer {
  return entry({ name: 'pax', type }, Buffer.concat(records.map(([key, value]) => paxRecord(key, value))));
}

export function paxRecord(key: string, value: string | Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`, 'latin1'), Buffer.from(value), Buffer.from('\n')]);
  let length = rest.length;
  while (`${length}`.length + rest.length !== length) length = `${length}`.length + rest.length;
  return Buffer.concat([Buffer.from(`${length}`), rest]);
}

/** GNU's own way to a long name (`L`) or link target (`K`). */
export const gnuLong = (type: 'L' | 'K', name: string) =>
  entry({ name: '././@LongLink', type, magic: 'ustar  \0' }, `${name}\0`);

/** Entries and the end marker. */
export function archive(...parts: readonly Buffer[]): Buffer {
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
}

export function padded(content: Buffer): Buffer {
  return Buffer.concat([content, Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK)]);
}

/** Cut into chunks of this size, as a stream may be at any byte. */
export async function* chunks(bytes: Buffer, size: number): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += size) yield Uint8Array.from(bytes.subarray(at, at + size));
}

export function withChecksum(block: Buffer): Buffer {
  block.fill(0x20, 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

function octal(block: Buffer, at: number, length: number, value: number | Buffer): void {
  if (typeof value === 'number')
    block.write(value.toString(8).padStart(length - 1, '0'), at, length, 'latin1');
  else value.copy(block, at);
}
