import { describe, expect, it } from 'vitest';
import { type Reading, RequestReader } from '../../../../metadata-service/http/request.ts';
import { useEngine } from '../../../../src/native/engine.ts';
import { koffiEngine } from '../../../support/koffi-syscall.ts';

useEngine(koffiEngine);

const LIMITS = { headBytes: 200, bodyBytes: 50 };
const lines = (...all: readonly string[]) => `${all.join('\r\n')}\r\n\r\n`;

/** All that a reader says of a text, which comes in pieces of a size. */
function read(text: string, size = text.length): Reading[] {
  const reader = new RequestReader(LIMITS);
  const bytes = Buffer.from(text, 'latin1');
  const readings: Reading[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    reader.push(bytes.subarray(at, at + size));
    for (;;) {
      const reading = reader.next();
      if (reading.kind === 'incomplete') break;
      readings.push(reading);
      if (reading.kind === 'refused') return readings;
    }
  }
  return readings;
}

const shown = (reading: Reading | undefined) => {
  if (reading?.kind !== 'request') return reading;
  const { method, path, query, body, keepAlive } = reading.request;
  return { method, path, query, body: Buffer.from(body).toString(), keepAlive };
};

describe('RequestReader', () => {
  const post = lines('POST /a%2Fb?c=d?e HTTP/1.1', 'Host: x', 'Content-Length: 5');
  const several = `${post}hello${lines('GET http://x/y HTTP/1.0')}${lines('GET / HTTP/1.1', 'connection: Close')}`;

  it.each([1, 2, 7, 1000])('reads requests that come in pieces of %i bytes', (size) => {
    expect(read(several, size).map(shown)).toEqual([
      { method: 'POST', path: '/a%2Fb', query: 'c=d?e', body: 'hello', keepAlive: true },
      { method: 'GET', path: '/y', query: '', body: '', keepAlive: false },
      { method: 'GET', path: '/', query: '', body: '', keepAlive: false },
    ]);
  });

  it('says once that somebody waits for leave to send the body', () => {
    const text = lines('PUT / HTTP/1.1', 'Expect: 100-continue', 'Content-Length: 2');
    expect(read(`${text}ab`, text.length).map(({ kind }) => kind)).toEqual(['waiting', 'request']);
  });

  it('does not look at a body, however much it looks like a request', () => {
    const inner = lines('GET /i HTTP/1.1');
    const text = `${lines('POST /o HTTP/1.1', `Content-Length: ${inner.length}`)}${inner}`;
    expect(read(text).map(shown)).toMatchObject([{ path: '/o', body: inner }]);
  });

  it.each([
    [400, 'GET /\r\n\r\n'],
    [400, '\x16\x03\x01\x02\r\n\r\n'],
    [400, lines('get / HTTP/1.1')],
    [400, lines('GET x HTTP/1.1')],
    [400, lines('GET /\xc3\xa9 HTTP/1.1')],
    [400, lines('GET / HTTP/1.1', 'Bad Name: x')],
    [400, lines('GET / HTTP/1.1', 'a: b', ' folded')],
    [400, lines('POST / HTTP/1.1', 'Content-Length: 5', 'Content-Length: 6')],
    [400, lines('POST / HTTP/1.1', 'Content-Length: -1')],
    [413, lines('POST / HTTP/1.1', 'Content-Length: 51')],
    [413, lines('POST / HTTP/1.1', 'Content-Length: 9999999999')],
    [431, lines('GET / HTTP/1.1', `a: ${'b'.repeat(200)}`)],
    [431, 'x'.repeat(201)],
    [501, lines('POST / HTTP/1.1', 'Transfer-Encoding: chunked', 'Content-Length: 3')],
    [505, lines('GET / HTTP/2.0')],
  ])('refuses with %i: %j', (status, text) => {
    expect(read(text)).toMatchObject([{ kind: 'refused', status }]);
  });
});
