import { execFileSync } from 'node:child_process';
import { gzipSync } from 'node:zlib';
import { describe, expect, test, vi } from 'vitest';
import { decompressed } from '../../../src/image/decompression.ts';
import { ImageError } from '../../../src/image/error.ts';
import { chunks } from '../../support/tar-archive.ts';

const LIMIT = { floor: 1_000_000, ratio: 200 };
const CONTENT = Buffer.from(Array.from({ length: 5000 }, (_, line) => `line ${line}\n`).join(''));

const filter = (program: string) => (bytes: Buffer) => execFileSync(program, ['-c'], { input: bytes });
const FORMATS: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  nothing: (bytes) => bytes,
  gzip: (bytes) => gzipSync(bytes),
  bzip2: filter('bzip2'),
  xz: filter('xz'),
  zstd: filter('zstd'),
};

async function all(bytes: Buffer, limit = LIMIT): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of decompressed(chunks(bytes, 1000), limit)) parts.push(part);
  return Buffer.concat(parts);
}

describe.each(Object.entries(FORMATS))('%s', (name, compress) => {
  test('is undone', async () => {
    expect((await all(compress(CONTENT))).equals(CONTENT)).toBe(true);
    expect(await all(compress(Buffer.alloc(0)))).toHaveLength(0);
  });

  test('may not grow without bound', async () => {
    const zeros = compress(Buffer.alloc(3_000_000));
    const ratio = name === 'nothing' ? 0 : 1;
    await expect(all(zeros, { floor: 1_000_000, ratio })).rejects.toMatchObject({ code: 'too-large' });
    expect(await all(zeros, { floor: 3_000_000, ratio })).toHaveLength(3_000_000);
  });
});

describe.each(Object.entries(FORMATS).filter(([name]) => name !== 'nothing'))(
  'damaged %s',
  (name, compress) => {
    test.each([
      [
        'in the middle',
        (bytes: Buffer) => Buffer.from(bytes).fill(0x55, bytes.length >> 1, (bytes.length >> 1) + 20),
      ],
      ['at its end', (bytes: Buffer) => bytes.subarray(0, -10)],
    ])('%s is said to be, in one line', async (_, damage) => {
      const error = await all(damage(compress(CONTENT))).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(ImageError);
      expect(error).toMatchObject({ code: 'decompression' });
      expect(String(error)).toMatch(new RegExp(`^ImageError: archive is not valid ${name}: [ -~]{5,200}$`));
    });
  },
);

test.each(['nothing', 'gzip', 'zstd'])(
  'of %s, what is given up is closed, at its first bytes too',
  async (name) => {
    for (const taken of [0, 1]) {
      let isClosed = false;
      async function* source(): AsyncGenerator<Uint8Array, void, undefined> {
        try {
          yield* chunks(FORMATS[name]?.(Buffer.concat(Array(100).fill(CONTENT))) ?? CONTENT, 100_000);
        } finally {
          isClosed = true;
        }
      }
      const stream = decompressed(source(), LIMIT);
      for (let count = 0; count <= taken; count++) await stream.next();
      await stream.return();
      await vi.waitFor(() => expect(isClosed).toBe(true));
    }
  },
);
