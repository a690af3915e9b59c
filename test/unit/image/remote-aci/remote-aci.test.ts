import { describe, expect, test } from 'vitest';
import { RemoteAci, type RemoteAciOptions } from '../../../../src/image/remote-aci/index.ts';
import type { OpenedBytes } from '../../../../src/image/source.ts';
import { type ScriptedAnswer, ScriptedClient } from '../../../support/scripted-client.ts';

const URL = 'https://example.com/app.aci';
const NOW = 1_000_000;
const CONTENT = '0123456789';

/** A server with one file, as RFC 9110 has them. */
function server(etag: string | undefined, extra: Readonly<Record<string, string>> = {}) {
  const tagged = etag === undefined ? extra : { etag, ...extra };
  return new ScriptedClient(({ headers = {} }): ScriptedAnswer => {
    if (etag !== undefined && headers['if-none-match'] === etag) return { status: 304, headers: tagged };
    const { range: asked = '' } = headers;
    const offset = /^bytes=(\d+)-$/.exec(asked)?.[1];
    if (offset === undefined || headers['if-range'] !== etag)
      return { headers: { ...tagged, 'content-length': `${CONTENT.length}` }, body: CONTENT };
    const range = `bytes ${offset}-${CONTENT.length - 1}/${CONTENT.length}`;
    if (Number(offset) >= CONTENT.length)
      return { status: 416, headers: { 'content-range': `bytes */${CONTENT.length}` }, body: 'too far' };
    return {
      status: 206,
      headers: { ...tagged, 'content-range': range },
      body: CONTENT.slice(Number(offset)),
    };
  });
}

const open = (client: ScriptedClient, options: RemoteAciOptions = {}) =>
  new RemoteAci(client, URL, { now: () => NOW, ...options });

async function text({ bytes }: OpenedBytes): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

async function readFrom(aci: RemoteAci, offset: number) {
  const opened = await aci.open(offset);
  return { offset: opened.offset, total: opened.total, text: await text(opened) };
}

const sent = ({ requests }: ScriptedClient) =>
  requests.map(({ headers }) => {
    const { 'accept-encoding': encoding, ...others } = headers ?? {};
    expect(encoding).toBe('identity');
    return others;
  });

describe('what the store has of an image', () => {
  test('is fresh within its maximum age: nothing is asked', async () => {
    const client = server('"a"');
    await using aci = open(client);
    expect(await aci.checkFresh({ etag: '"a"', maxAge: 60, fetchedAt: NOW - 1000 })).toBe('fresh');
    expect(client.requests).toEqual([]);
    expect(aci.note).toBeUndefined();
  });

  test('is unchanged if the server says so, which holds anew', async () => {
    const client = server('"a"', { 'cache-control': 'max-age=60' });
    await using aci = open(client);
    expect(await aci.checkFresh({ etag: '"a"', maxAge: 60, fetchedAt: NOW - 60_000 })).toBe('unchanged');
    expect(sent(client)).toEqual([{ 'if-none-match': '"a"' }]);
    expect(aci.note).toEqual({ etag: '"a"', maxAge: 60, fetchedAt: NOW });
    expect(client.open).toBe(0);
  });

  test('is unchanged also if the server sends it all again under the same ETag', async () => {
    const client = new ScriptedClient(() => ({ headers: { etag: 'W/"a"' }, body: CONTENT }));
    await using aci = open(client);
    expect(await aci.checkFresh({ etag: 'W/"a"', fetchedAt: 0 })).toBe('unchanged');
    expect(client.open).toBe(0);
  });

  test('is changed otherwise: the answer that says so is what is read', async () => {
    const client = server('"b"');
    await using aci = open(client);
    expect(await aci.checkFresh({ etag: '"a"', fetchedAt: 0 })).toBe('changed');
    expect(await readFrom(aci, 0)).toEqual({ offset: 0, total: 10, text: CONTENT });
    expect(aci.note).toEqual({ etag: '"b"', fetchedAt: NOW });
    expect(client.requests).toHaveLength(1);
  });

  test('is changed where nothing says that it is not', async () => {
    const client = server(undefined);
    await using aci = open(client);
    expect(await aci.checkFresh({ fetchedAt: 0 })).toBe('changed');
    expect(sent(client)).toEqual([{}]);
  });

  test('ends the answer that nobody reads', async () => {
    const client = server('"b"');
    {
      await using aci = open(client);
      await aci.checkFresh({ etag: '"a"', fetchedAt: 0 });
      await aci.checkFresh({ etag: '"a"', fetchedAt: 0 });
      expect(client.open).toBe(1);
    }
    expect(client.open).toBe(0);
  });

  test.each([
    [304, {}, 'bad-answer'],
    [404, { etag: '"a"' }, 'not-found'],
    [503, { etag: '"a"' }, 'server'],
  ])('is not known to be anything after a %i', async (status, known, code) => {
    const client = new ScriptedClient(() => ({ status }));
    await using aci = open(client);
    const message = `https://example.com/app.aci: bad HTTP status code: ${status}`;
    await expect(aci.checkFresh({ ...known, fetchedAt: 0 })).rejects.toMatchObject({ code, message });
    expect(client.open).toBe(0);
  });
});

describe('an image that broke off', () => {
  test('is resumed where it ended, if it is still the same', async () => {
    const client = server('"a"');
    await using aci = open(client);
    await text(await aci.open(0));
    expect(await readFrom(aci, 4)).toEqual({ offset: 4, total: 10, text: '456789' });
    expect(sent(client)).toEqual([{}, { range: 'bytes=4-', 'if-range': '"a"' }]);
    expect(client.open).toBe(0);
  });

  test('is resumed by another process that knows its ETag', async () => {
    const client = server('"a"');
    await using aci = open(client, { partialEtag: '"a"' });
    expect(await readFrom(aci, 4)).toEqual({ offset: 4, total: 10, text: '456789' });
    expect(aci.note).toEqual({ etag: '"a"', fetchedAt: NOW });
  });

  test('begins anew if it has become another', async () => {
    await using aci = open(server('"b"'), { partialEtag: '"a"' });
    expect(await readFrom(aci, 4)).toEqual({ offset: 0, total: 10, text: CONTENT });
    expect(aci.note).toEqual({ etag: '"b"', fetchedAt: NOW });
  });

  test('begins anew if it has become shorter', async () => {
    const client = server('"a"');
    await using aci = open(client, { partialEtag: '"a"' });
    expect(await readFrom(aci, 11)).toEqual({ offset: 0, total: 10, text: CONTENT });
    expect(client.open).toBe(0);
  });

  test('is not fetched again if it broke off when all of it was there', async () => {
    const client = server('"a"');
    await using aci = open(client, { partialEtag: '"a"' });
    expect(await readFrom(aci, 10)).toEqual({ offset: 10, total: 10, text: '' });
    expect(aci.note).toEqual({ etag: '"a"', fetchedAt: NOW });
    expect(sent(client)).toEqual([{ range: 'bytes=10-', 'if-range': '"a"' }]);
    expect(client.open).toBe(0);
  });

  test('begins anew if another has ended there', async () => {
    const other = { status: 416, headers: { 'content-range': 'bytes */10', etag: '"b"' } };
    const client = new ScriptedClient(({ headers }) => ('range' in (headers ?? {}) ? other : { body: 'b' }));
    await using aci = open(client, { partialEtag: '"a"' });
    expect(await readFrom(aci, 10)).toEqual({ offset: 0, total: undefined, text: 'b' });
    expect(client.open).toBe(0);
  });

  test.each([undefined, 'W/"a"'])('begins anew where nothing says that it is the same: %s', async (etag) => {
    const client = server(etag);
    await using aci = open(client);
    await text(await aci.open(0));
    expect(await readFrom(aci, 4)).toEqual({ offset: 0, total: 10, text: CONTENT });
    expect(sent(client)).toEqual([{}, {}]);
  });

  test('goes on with what is still there of it, once it was asked whether it changed', async () => {
    const client = server('"b"');
    await using aci = open(client, { partialEtag: '"b"' });
    expect(await aci.checkFresh({ etag: '"a"', fetchedAt: 0 })).toBe('changed');
    expect(await readFrom(aci, 4)).toEqual({ offset: 4, total: 10, text: '456789' });
    expect(client.open).toBe(0);
  });

  test('keeps the ETag of a part that does not repeat it', async () => {
    const part = { status: 206, headers: { 'content-range': 'bytes 4-9/*' }, body: '456789' };
    await using aci = open(new ScriptedClient(() => part), { partialEtag: '"a"' });
    expect(await readFrom(aci, 4)).toEqual({ offset: 4, total: undefined, text: '456789' });
    expect(aci.note?.etag).toBe('"a"');
  });

  test.each([
    [{ 'content-range': 'bytes 5-9/10' }, 'what came is "bytes 5-9/10"'],
    [{ 'content-range': 'bytes */10' }, 'what came is "bytes */10"'],
    [{}, 'what came is ""'],
    [{ 'content-range': 'bytes 4-9/10', etag: '"b"' }, 'what came is of ETag "b", not "a"'],
  ])('is refused as %j', async (headers: Readonly<Record<string, string>>, problem) => {
    const client = new ScriptedClient(() => ({ status: 206, headers }));
    await using aci = open(client, { partialEtag: '"a"' });
    await expect(aci.open(4)).rejects.toThrow(problem);
    expect(client.open).toBe(0);
  });
});

describe('an image larger than expected', () => {
  const largest = 100 + 2 + 64 * 1024;
  const sized = (length: number, headers: Readonly<Record<string, string>>) =>
    new ScriptedClient(() => ({ headers, body: Buffer.alloc(length) }));

  test('is refused before it comes, if the server says how large it is', async () => {
    const client = sized(0, { 'content-length': `${largest + 1}` });
    await using aci = open(client, { expectedSize: 100 });
    await expect(aci.open(0)).rejects.toMatchObject({
      code: 'too-large',
      message: `https://example.com/app.aci: ${largest + 1} bytes or more, at most ${largest} are expected`,
    });
    expect(client.open).toBe(0);
  });

  test('is cut off as it comes, if the server does not', async () => {
    const client = sized(largest + 1, {});
    await using aci = open(client, { expectedSize: 100 });
    await expect(aci.open(0).then(text)).rejects.toMatchObject({ code: 'too-large' });
    expect(client.open).toBe(0);
  });

  test('may be as much larger as compressing makes it', async () => {
    await using aci = open(sized(largest, {}), { expectedSize: 100 });
    expect(await aci.open(0).then(text)).toHaveLength(largest);
  });

  test('counts what there is of it', async () => {
    const part = { status: 206, headers: { 'content-range': `bytes ${largest}-${largest}/*` }, body: 'x' };
    await using aci = open(new ScriptedClient(() => part), { expectedSize: 100, partialEtag: '"a"' });
    await expect(aci.open(largest).then(text)).rejects.toMatchObject({ code: 'too-large' });
  });
});

test.each([
  [401, 'unauthorized'],
  [403, 'forbidden'],
  [404, 'not-found'],
  [410, 'not-found'],
  [429, 'rate-limited'],
  [500, 'server'],
  [202, 'bad-answer'],
  [304, 'bad-answer'],
])('a %i is told as what it is', async (status, code) => {
  const client = new ScriptedClient(() => ({ status }));
  await using aci = open(client);
  const message = `https://example.com/app.aci: bad HTTP status code: ${status}`;
  await expect(aci.open(0)).rejects.toMatchObject({ code, message });
  expect(client.open).toBe(0);
});

test('every request is authenticated, over https', async () => {
  const credentials = (url: string) => ({ authorization: `for ${url}` });
  const client = server('"a"');
  for (const url of [URL, 'http://example.com/app.aci']) {
    await using aci = new RemoteAci(client, url, { credentials, partialEtag: '"a"' });
    await text(await aci.open(4));
  }
  expect(client.asked('authorization')).toEqual([`${URL} for ${URL}`, 'http://example.com/app.aci -']);
});
