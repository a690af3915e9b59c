import { request as httpRequest } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { Answer, SeenRequest } from './scripted-server.ts';

/** What becomes of a body on its way: it may be changed, cut, or wait. */
export type Transfer = (
  request: SeenRequest,
  body: AsyncIterable<Uint8Array>,
) => AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** Hands a request on to a server without TLS (`HOST:PORT`) and its answer back, as what stands in front of a registry does. */
export function passedOn(upstream: string, transfer?: Transfer): Answer {
  const [hostname, port] = upstream.split(':');
  return (seen, response) => {
    const { method, path, headers } = seen;
    const request = httpRequest({ hostname, port, method, path, headers }, (answer) => {
      const { 'content-length': _length, ...others } = answer.headers;
      // What is changed on the way may be of another length.
      const isChanged = transfer !== undefined && method !== 'HEAD';
      response.writeHead(answer.statusCode ?? 502, isChanged ? others : answer.headers);
      // Who has asked may leave, and what was to be cut ends with an error: both end the connection.
      pipeline(transfer?.(seen, answer) ?? answer, response).catch(() => response.destroy());
    });
    request.once('error', () => response.destroy());
    response.once('close', () => request.destroy());
    request.end();
  };
}
