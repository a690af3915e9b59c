import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { paced } from '../../../../src/image/http/pace.ts';

const PACE = { bytes: 10, milliseconds: 60 };

/** Pieces of a size, one after each pause; tells when its reader has left. */
function body(pieces: number, size: number, pause: number) {
  const state = { closed: false };
  async function* bytes() {
    try {
      for (let piece = 0; piece < pieces; piece++) {
        await delay(pause);
        yield new Uint8Array(size);
      }
    } finally {
      state.closed = true;
    }
  }
  return { bytes: bytes(), state };
}

async function read(bytes: AsyncIterable<Uint8Array>, pause = 0): Promise<number> {
  let length = 0;
  for await (const chunk of bytes) {
    length += chunk.length;
    if (pause > 0) await delay(pause);
  }
  return length;
}

test('a body that comes drop by drop is given up', async () => {
  const { bytes, state } = body(1000, 1, 15);
  await expect(read(paced(bytes, 'https://example.com/x', PACE))).rejects.toMatchObject({
    code: 'network',
    message: expect.stringMatching(/^cannot fetch https:\/\/example\.com\/x: only \d bytes came in 0 s$/),
  });
  expect(state.closed).toBe(true);
});

test('one that comes steadily is passed on to its end, and so is one whose reader takes its time', async () => {
  expect(await read(paced(body(10, 20, 15).bytes, 'x', PACE))).toBe(200);
  expect(await read(paced(body(10, 1, 0).bytes, 'x', PACE), 20)).toBe(10);
});
