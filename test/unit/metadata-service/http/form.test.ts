import { expect, it } from 'vitest';
import { parseForm, unescapePath } from '../../../../metadata-service/http/form.ts';
import { formatResponse, notAllowed, text } from '../../../../metadata-service/http/response.ts';
import { useEngine } from '../../../../src/native/engine.ts';
import { koffiEngine } from '../../../support/koffi-syscall.ts';

useEngine(koffiEngine);

const form = (body: string) =>
  Object.fromEntries(
    [...parseForm(Buffer.from(body, 'latin1'))].map(([name, value]) => [
      name,
      Buffer.from(value).toString('latin1'),
    ]),
  );

it.each([
  ['', {}],
  ['a=b', { a: 'b' }],
  ['a=b&c=d=e&f', { a: 'b', c: 'd=e', f: '' }],
  ['a=1&a=2', { a: '1' }],
  ['a=b+c%20d%2Be&%61=2', { a: 'b c d+e' }],
  ['a=%&b=%4&c=%zz', { a: '%', b: '%4', c: '%zz' }],
  ['a=%ff%00\xfe', { a: '\xff\0\xfe' }],
  ['&=x&', { '': '' }],
])('reads the form %j', (body, expected) => {
  expect(form(body)).toEqual(expected);
});

it('reads parts of a path, where a plus is a plus', () => {
  expect(unescapePath('a%2fb+c%C3%A9')).toBe('a/b+cé');
});

it('answers with a body, or with what tells of it', () => {
  const head = [
    'HTTP/1.1 200 OK',
    'Content-Type: text/plain; charset=us-ascii',
    'Content-Length: 2',
    'Cache-Control: no-store',
    'Connection: keep-alive',
  ].join('\r\n');
  const format = (withBody: boolean) =>
    Buffer.from(formatResponse(text('hi'), { keepAlive: true, withBody })).toString();
  expect(format(true)).toBe(`${head}\r\n\r\nhi`);
  expect(format(false)).toBe(`${head}\r\n\r\n`);
});

it('says which methods there are', () => {
  const bytes = formatResponse(notAllowed(['GET', 'HEAD']), { keepAlive: false, withBody: true });
  expect(Buffer.from(bytes).toString()).toMatch(
    /^HTTP\/1\.1 405 .*\r\nAllow: GET, HEAD\r\nConnection: close\r\n/s,
  );
});
