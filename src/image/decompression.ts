import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { withoutControls } from '../appc/quotation.ts';
import { isSystemError } from '../os/syscall.ts';
import { ImageError } from './error.ts';
import { type Bytes, observed } from './stream.ts';

type Format =
  | { readonly kind: 'plain' }
  | { readonly kind: 'gzip' }
  | {
      readonly kind: 'program';
      readonly program: string;
      readonly arguments: readonly string[];
      readonly debianPackage: string;
    };

// Both write to stdout what they read from stdin. The limits are on memory: a header of ten bytes can ask for gigabytes.
const BZIP2: Format = { kind: 'program', program: 'bzip2', arguments: ['-dc'], debianPackage: 'bzip2' };
const XZ: Format = {
  kind: 'program',
  program: 'xz',
  arguments: ['-dc', '--memlimit-decompress=512MiB'],
  debianPackage: 'xz-utils',
};
const ZSTD: Format = {
  kind: 'program',
  program: 'zstd',
  arguments: ['-dcq', '-M512MB'],
  debianPackage: 'zstd',
};

const MAGIC: ReadonlyArray<readonly [magic: readonly number[], format: Format]> = [
  [[0x1f, 0x8b], { kind: 'gzip' }],
  [[0x42, 0x5a, 0x68], BZIP2],
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], XZ],
  [[0x28, 0xb5, 0x2f, 0xfd], ZSTD],
];
const LONGEST_MAGIC = 6;
const CHUNK = 256 * 1024;
const LONGEST_COMPLAINT = 200;

/** How much an archive may grow: compressed zeros are a thousand times smaller than what they fill a disk with. */
export interface ExpansionLimit {
  /** Up to this size anything goes. */
  readonly floor: number;
  /** Beyond it, uncompressed bytes for each compressed one. */
  readonly ratio: number;
}

export const DEFAULT_EXPANSION: ExpansionLimit = { floor: 1024 ** 3, ratio: 200 };

/** Undoes what a stream's first bytes show: gzip, bzip2, xz, zstd or nothing. @throws ImageError decompression, too-large, system */
export async function* decompressed(
  stream: Bytes,
  limit: ExpansionLimit,
): AsyncGenerator<Uint8Array, void, undefined> {
  let read = 0;
  let written = 0;
  const counted = observed(stream, (chunk) => {
    read += chunk.length;
  });
  const { start, rest } = await beginning(counted);
  for await (const chunk of expand(formatOf(start), prepended(start, rest))) {
    written += chunk.length;
    if (written > limit.floor && written > read * limit.ratio) {
      throw new ImageError(
        'too-large',
        `archive expands to more than ${limit.ratio} times its size of ${read} bytes`,
      );
    }
    yield chunk;
  }
}

/** What a stream's first bytes show: `plain`, `gzip`, or the program that undoes it. The rest of it is not read. */
export async function compressionOf(stream: Bytes): Promise<string> {
  const { start, rest } = await beginning(observed(stream, () => undefined));
  await rest.return(undefined);
  const format = formatOf(start);
  return format.kind === 'program' ? format.program : format.kind;
}

function formatOf(start: Uint8Array): Format {
  const found = MAGIC.find(([magic]) => magic.every((byte, at) => start[at] === byte));
  return found?.[1] ?? { kind: 'plain' };
}

async function beginning(
  stream: AsyncGenerator<Uint8Array>,
): Promise<{ start: Uint8Array; rest: AsyncGenerator<Uint8Array> }> {
  let start: Uint8Array = new Uint8Array();
  while (start.length < LONGEST_MAGIC) {
    const { value, done } = await stream.next();
    if (done === true) break;
    start = start.length === 0 ? value : Buffer.concat([start, value]);
  }
  return { start, rest: stream };
}

// Whoever stops at the start has not begun with the rest, which is open all the same.
async function* prepended(
  start: Uint8Array,
  rest: AsyncGenerator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    if (start.length > 0) yield start;
    yield* rest;
  } finally {
    await rest.return(undefined);
  }
}

function expand(format: Format, stream: AsyncGenerator<Uint8Array>): Bytes {
  switch (format.kind) {
    case 'plain':
      return stream;
    case 'gzip':
      return gunzipped(stream);
    case 'program':
      return throughProgram(format, stream);
    default:
      return format satisfies never;
  }
}

async function* gunzipped(stream: Bytes): AsyncGenerator<Uint8Array, void, undefined> {
  const gunzip = createGunzip({ chunkSize: CHUNK });
  // A failure of either side ends the iteration below with the same error.
  pipeline(Readable.from(stream, { objectMode: false }), gunzip, () => undefined);
  try {
    yield* gunzip;
  } catch (error) {
    if (!isZlibError(error)) throw error;
    throw new ImageError('decompression', `archive is not valid gzip: ${error.message}`, { cause: error });
  }
}

function isZlibError(error: unknown): error is Error {
  return (
    error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('Z_')
  );
}

async function* throughProgram(
  { program, arguments: args, debianPackage }: Format & { readonly kind: 'program' },
  stream: Bytes,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { run } = await import('../os/run.ts');
  const failure: { input?: unknown } = {};
  const input = Readable.from(keepingError(stream, failure), { objectMode: false });
  const child = run(program, args, {
    input,
    encoding: 'buffer',
    buffer: { stdout: false, stderr: true },
    stdout: 'pipe',
    reject: false,
  });
  try {
    yield* child.stdout;
    const result = await child;
    if ('input' in failure) throw failure.input;
    if (!result.failed) return;
    if (isSystemError(result.cause, 'ENOENT')) {
      throw new ImageError(
        'system',
        `cannot run ${program} to decompress the archive: install the package ${debianPackage}`,
      );
    }
    throw new ImageError(
      'decompression',
      `archive is not valid ${program}: ${firstLine(result.stderr) || result.shortMessage}`,
    );
  } finally {
    child.kill();
    input.destroy();
    await child;
  }
}

/** bzip2 adds advice of six lines. */
function firstLine(stderr: Uint8Array): string {
  const [line = ''] = Buffer.from(stderr).toString('utf8').trim().split('\n', 1);
  return withoutControls(line.slice(0, LONGEST_COMPLAINT));
}

// The program would report that its input broke off; what broke it is the error to show.
async function* keepingError(
  stream: Bytes,
  failure: { input?: unknown },
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* stream;
  } catch (error) {
    failure.input = error;
    throw error;
  }
}
