import { ImageError } from '../error.ts';
import type { Bytes } from '../stream.ts';

/** So many bytes must come in so many milliseconds of waiting for them. */
export interface Pace {
  readonly bytes: number;
  readonly milliseconds: number;
}

/** Slower than any line that somebody fetches images by: who sends so means to hold whoever waits, and all who wait for them. */
const SLOWEST: Pace = { bytes: 16 * 1024, milliseconds: 60_000 };

/** Passes a body on, and gives it up when it comes too slowly. The time that its reader takes does not count. @throws ImageError network */
export async function* paced(body: Bytes, place: string, pace = SLOWEST): AsyncGenerator<Uint8Array, void> {
  const iterator = body[Symbol.asyncIterator]();
  let [bytes, waited] = [0, 0];
  try {
    for (;;) {
      const asked = performance.now();
      const next = await iterator.next();
      if (next.done === true) return;
      waited += performance.now() - asked;
      bytes += next.value.length;
      if (waited >= pace.milliseconds) {
        if (bytes < pace.bytes) throw new ImageError('network', tooSlow(place, bytes, waited));
        [bytes, waited] = [0, 0];
      }
      yield next.value;
    }
  } finally {
    await iterator.return?.();
  }
}

function tooSlow(place: string, bytes: number, waited: number): string {
  return `cannot fetch ${place}: only ${bytes} bytes came in ${Math.round(waited / 1000)} s`;
}
