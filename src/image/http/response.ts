import { setImmediate as nextCycle } from 'node:timers/promises';
import type { Dispatcher } from 'undici';
import { ImageError } from '../error.ts';
import { failureOf } from './failure.ts';
import type { HttpResponse } from './http.ts';
import { paced } from './pace.ts';
import { showUrl } from './url.ts';

/** What a body that nobody wants may cost for the sake of its connection: bytes, and milliseconds. */
const DISCARDED = { bytes: 64 * 1024, time: 1000 };
/** What is read into memory may not come drop by drop: in milliseconds. */
const LONGEST_READ = 5 * 60_000;

export function toResponse(
  { statusCode, headers, body }: Dispatcher.ResponseData,
  url: URL,
  signal: AbortSignal | undefined,
): HttpResponse {
  // A connection may break before somebody reads on: the reader learns of it, an event without a listener ends the program.
  body.on('error', () => undefined);
  return {
    status: statusCode,
    url: url.href,
    headers: flat(headers),
    body: withFailures(body, url, signal),
    discard: async () => {
      // Beyond its bounds the connection is given up instead.
      const timer = setTimeout(() => body.destroy(), DISCARDED.time);
      await body.dump({ limit: DISCARDED.bytes });
      clearTimeout(timer);
      await nextCycle();
    },
  };
}

/** As `readBytes`, if it is UTF-8. @throws ImageError too-large, network, bad-answer */
export async function readText(response: HttpResponse, limit: number, what: string): Promise<string> {
  const bytes = await readBytes(response, limit, what);
  try {
    // A mark at the beginning is content as well: whoever hashes the text must get the bytes that came.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new ImageError('bad-answer', `${what} is not UTF-8`, { cause });
  }
}

/** The body, if it is no longer than that. `what` names it in messages, `time` is for all of it. @throws ImageError too-large, network */
export async function readBytes(
  response: HttpResponse,
  limit: number,
  what: string,
  time = LONGEST_READ,
): Promise<Buffer> {
  const deadline = performance.now() + time;
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body) {
    length += chunk.length;
    if (length > limit) throw new ImageError('too-large', `${what} is longer than ${limit} bytes`);
    if (performance.now() > deadline)
      throw new ImageError('network', `${what} is not there after ${time / 1000} s`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function* withFailures(
  body: AsyncIterable<Uint8Array>,
  url: URL,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* paced(body, showUrl(url));
    // undici has a connection ready for the next request one cycle after the body's end, and opens another before.
    await nextCycle();
  } catch (error) {
    throw failureOf(error, url, signal);
  }
}

/** A header that was sent several times is one list (RFC 9110, 5.3). */
function flat(headers: Dispatcher.ResponseData['headers']): Readonly<Record<string, string>> {
  const single: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) single[name.toLowerCase()] = Array.isArray(value) ? value.join(', ') : value;
  }
  return single;
}
