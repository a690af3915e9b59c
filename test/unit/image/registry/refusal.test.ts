import { expect, test } from 'vitest';
import type { HttpResponse } from '../../../../src/image/http/http.ts';
import { parseRetryAfter, refusalOf } from '../../../../src/image/registry/refusal.ts';

const NOW = Date.parse('2020-01-01T00:00:00Z');

async function* pieces(text: string) {
  yield Buffer.from(text);
}

const refusal = (status: number, body = '', headers: Record<string, string> = {}) => {
  const response: HttpResponse = {
    status,
    url: 'https://registry.example/',
    headers,
    body: pieces(body),
    discard: async () => undefined,
  };
  return refusalOf(response, 'manifest 1 of team/app in registry.example', { now: NOW });
};

test.each([
  [401, 'unauthorized', 'authentication required'],
  [403, 'forbidden', 'access denied'],
  [404, 'not-found', 'not found'],
  [429, 'rate-limited', 'too many requests'],
  [500, 'server', 'the server failed'],
  [503, 'server', 'the server failed'],
  [400, 'bad-answer', 'unexpected answer'],
  [204, 'bad-answer', 'unexpected answer'],
  [302, 'bad-answer', 'unexpected answer'],
])('%d is told as %s', async (status, code, words) => {
  expect(await refusal(status)).toMatchObject({
    name: 'ImageError',
    code,
    message: `manifest 1 of team/app in registry.example: ${words}: bad HTTP status code: ${status}`,
    retryAfter: undefined,
  });
});

test.each([
  [
    '{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown","detail":{}}]}',
    'MANIFEST_UNKNOWN: manifest unknown',
  ],
  ['{"errors":[{"code":"A"},{"message":"b"},{"code":"C","message":"d"},{"code":"E"}]}', 'A, b, C: d'],
  ['{"details":"incorrect username or password"}', 'incorrect username or password'],
  ['{"message":"Not Found"}', 'Not Found'],
  ['{"errors":[{"code":"X","message":"\\u001b[31mred\\u0007\\nnew\\u202eline"}]}', 'X: [31mred new line'],
  [`{"message":"${'long'.repeat(100)}"}`, 'long'.repeat(50)],
])('what the server says is told: %s', async (body, detail) => {
  const { message } = await refusal(404, body);
  expect(message.slice(message.indexOf('404'))).toBe(`404 (${detail})`);
});

test.each([
  '<html>404</html>',
  '{"errors":"none"}',
  '{"errors":[{"code":7}]}',
  '{}',
  '[]',
  'null',
  `{"message":"${'x'.repeat(100_000)}"}`,
  `${'['.repeat(1000)}${']'.repeat(1000)}`,
])('what says nothing that is understood is left out', async (body) => {
  expect((await refusal(404, body)).message).toMatch(/: bad HTTP status code: 404$/);
});

test('when to come again: after seconds or at a date', async () => {
  expect(parseRetryAfter('120', NOW)).toBe(120_000);
  expect(parseRetryAfter('Wed, 01 Jan 2020 00:01:30 GMT', NOW)).toBe(90_000);
  expect(parseRetryAfter('Tue, 31 Dec 2019 00:00:00 GMT', NOW)).toBe(0);
  for (const text of ['soon', '-5', '']) expect(parseRetryAfter(text, NOW)).toBeUndefined();
  expect(await refusal(429, '', { 'retry-after': '61' })).toMatchObject({
    retryAfter: 61_000,
    message: expect.stringMatching(/: bad HTTP status code: 429, to be asked again in 61 s$/),
  });
});
