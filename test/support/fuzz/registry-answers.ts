import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Answer, SeenRequest } from '../scripted-server.ts';
import type { Dice } from './dice.ts';
import type { OciDocuments } from './oci-documents.ts';

export const REPOSITORY = 'team/app';
export const TAG = '1';

const STATUSES = [
  100, 200, 201, 204, 206, 301, 302, 307, 304, 400, 401, 403, 404, 405, 416, 418, 429, 500, 502, 503, 599,
];
const LARGE_HEADER = 'h'.repeat(40_000);

/** What a request asks for, by its path. */
type Asked = 'ping' | 'token' | 'manifest' | 'blob';

/** What is wrong with some of the answers: how they are changed, and which. */
interface Fault {
  readonly asked: Asked;
  /** After so many of them the answers are right. */
  readonly times: number;
  readonly change: (answer: RegistryAnswer) => void;
}

interface RegistryAnswer {
  status: number;
  headers: OutgoingHttpHeaders;
  body: Buffer;
  /** How it is sent: to its end, cut off in the middle, or not as HTTP at all. */
  sent: 'whole' | 'cut' | 'noise';
}

/** The answers of a registry that has an image; with dice, a few of them wrong. */
export function registryAnswers(documents: OciDocuments, dice?: Dice): Answer {
  const faults = dice === undefined ? [] : Array.from({ length: dice.below(3) }, () => faultOf(dice));
  const left = new Map(faults.map((fault) => [fault, fault.times]));
  return (request, response) => {
    const asked = askedBy(request.path);
    const answer = rightAnswer(asked, request, documents);
    for (const [fault, times] of left) {
      if (fault.asked !== asked || times === 0) continue;
      left.set(fault, times - 1);
      fault.change(answer);
    }
    send(answer, request, response);
  };
}

function askedBy(path: string): Asked {
  if (path.startsWith('/token')) return 'token';
  if (path.includes('/manifests/')) return 'manifest';
  return path.includes('/blobs/') ? 'blob' : 'ping';
}

function rightAnswer(asked: Asked, { path, headers }: SeenRequest, documents: OciDocuments): RegistryAnswer {
  const sent = 'whole';
  if (asked === 'ping') return { status: 200, headers: {}, body: Buffer.from('{}'), sent };
  if (asked === 'token') return { status: 200, headers: {}, body: Buffer.from('{"token":"t"}'), sent };
  const named = /sha256:([0-9a-f]{64})/.exec(path)?.[1];
  const body = named === undefined ? Buffer.from(documents.variants) : documents.blobs.get(named);
  if (body === undefined) return { status: 404, headers: {}, body: Buffer.from('{"errors":[]}'), sent };
  const type = asked === 'blob' ? 'application/octet-stream' : '';
  const start = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);
  if (start === 0) return { status: 200, headers: { 'content-type': type }, body, sent };
  const range = { 'content-range': `bytes ${start}-${body.length - 1}/${body.length}` };
  return { status: 206, headers: { 'content-type': type, ...range }, body: body.subarray(start), sent };
}

function faultOf(dice: Dice): Fault {
  const asked = dice.pick<Asked>([
    'ping',
    'token',
    'manifest',
    'manifest',
    'manifest',
    'blob',
    'blob',
    'blob',
  ]);
  return { asked, times: dice.pick([1, 1, 2, 100]), change: changeOf(dice) };
}

function changeOf(dice: Dice): Fault['change'] {
  const value = oddHeader(dice);
  const status = dice.pick(STATUSES);
  const challenge = dice.pick([
    'Bearer realm="/token",service="s"',
    'Bearer realm="file:///etc/passwd"',
    'Bearer realm="http://127.0.0.1:1/token",scope="repository:other:push"',
    'Basic realm="x"',
    'Bearer',
    'Digest nonce="x", Bearer realm="unclosed',
    LARGE_HEADER,
  ]);
  const json = dice.pick([
    '{"errors":[{"code":"DENIED","message":"\\u001b[31mno\\n"}]}',
    '[]',
    '<html>',
    '{"token":5}',
    '',
  ]);
  return dice.pick<Fault['change']>([
    (answer) => void Object.assign(answer, { status }),
    (answer) => void Object.assign(answer, { status, body: Buffer.from(json) }),
    (answer) => void Object.assign(answer.headers, value),
    (answer) => void Object.assign(answer.headers, value),
    (answer) => void Object.assign(answer, { status: 401, headers: { 'www-authenticate': challenge } }),
    (answer) => void Object.assign(answer, { sent: 'cut' }),
    (answer) => void Object.assign(answer, { sent: 'noise' }),
    (answer) => void Object.assign(answer, { body: answer.body.subarray(0, answer.body.length / 2) }),
    (answer) => void Object.assign(answer, { body: Buffer.concat([answer.body, answer.body]) }),
    (answer) => void Object.assign(answer, { body: Buffer.from(answer.body).reverse() }),
    (answer) => void Object.assign(answer, { body: Buffer.alloc(5_000_000, ' ') }),
  ]);
}

function oddHeader(dice: Dice): OutgoingHttpHeaders {
  const digest = `sha256:${'0'.repeat(64)}`;
  return dice.pick<OutgoingHttpHeaders>([
    {
      'content-type': dice.pick([
        '',
        'text/html',
        'application/vnd.oci.image.config.v1+json',
        'a/b;c',
        LARGE_HEADER,
      ]),
    },
    {
      'content-type': dice.pick([
        'application/vnd.docker.distribution.manifest.v1+prettyjws',
        'application/json',
      ]),
    },
    { 'docker-content-digest': dice.pick([digest, 'sha256:x', 'md5:00', `${digest}, ${digest}`]) },
    { 'content-encoding': dice.pick(['gzip', 'br', 'identity', 'nonsense']) },
    {
      'content-range': dice.pick([
        'bytes 0-1/2',
        'bytes 5-4/9',
        'bytes */0',
        'bytes 0-/',
        `bytes 1-${'9'.repeat(30)}/*`,
      ]),
    },
    { 'retry-after': dice.pick(['0', '-5', '1e9', '99999999999', 'Thu, 01 Jan 1970 00:00:00 GMT', 'soon']) },
    {
      location: dice.pick([
        '',
        '/v2/',
        '//',
        'file:///etc/passwd',
        'http://127.0.0.1:1/',
        'https://u:p@127.0.0.1:1/',
        '?x',
      ]),
    },
    { 'x-large': LARGE_HEADER },
    { 'transfer-encoding': 'chunked' },
  ]);
}

function send(
  { status, headers, body, sent }: RegistryAnswer,
  { method }: SeenRequest,
  response: ServerResponse,
): void {
  if (sent === 'noise') {
    response.socket?.end('HTTP/1.1 2000 what\r\nno header\r\n\r\n');
    return;
  }
  // 1xx would leave the client waiting for the answer that is to follow, and a length without a body for that.
  const hasBody = ![204, 304].includes(status) && method !== 'HEAD';
  const length = hasBody ? { 'content-length': body.length } : {};
  response.writeHead(Math.max(status, 200), { ...length, ...headers });
  if (sent === 'cut') response.write(body.subarray(0, body.length / 2), () => response.destroy());
  else response.end(hasBody ? body : undefined);
}
