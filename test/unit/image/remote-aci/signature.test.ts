import { expect, test } from 'vitest';
import {
  downloadDeferredSignature,
  downloadSignature,
  signatureUrl,
} from '../../../../src/image/remote-aci/index.ts';
import { type ScriptedAnswer, ScriptedClient } from '../../../support/scripted-client.ts';

const URL = 'https://example.com/app.aci.asc';

function serving(answer: ScriptedAnswer | undefined): ScriptedClient {
  return new ScriptedClient(() => answer);
}

test.each([
  ['https://example.com/app.aci', 'https://example.com/app.aci.asc'],
  ['https://example.com/app', 'https://example.com/app.aci.asc'],
  ['https://example.com/a.aci/app.aci?token=a.aci', 'https://example.com/a.aci/app.aci.asc?token=a.aci'],
  ['http://example.com:8080/%20.aci', 'http://example.com:8080/%20.aci.asc'],
])('the signature of %s is %s', (aci, signature) => {
  expect(signatureUrl(aci)).toBe(signature);
});

test('a signature is bytes, text or not', async () => {
  const body = Buffer.from([0x89, 0x02, 0xff]);
  const client = serving({ body });
  const credentials = () => ({ authorization: 'Bearer x' });
  expect(await downloadSignature(client, URL, { credentials })).toEqual({ kind: 'signature', bytes: body });
  expect(await downloadDeferredSignature(client, URL)).toEqual(body);
  expect(client.asked('authorization')).toEqual([`${URL} Bearer x`, `${URL} -`]);
});

test('a server may want to be asked again later, once', async () => {
  const client = serving({ status: 202, body: 'not yet' });
  expect(await downloadSignature(client, URL)).toEqual({ kind: 'deferred' });
  await expect(downloadDeferredSignature(client, URL)).rejects.toMatchObject({
    code: 'bad-answer',
    message: 'error downloading the signature file: server asked to defer the download again',
  });
  expect(client.open).toBe(0);
});

test.each<[ScriptedAnswer | undefined, string, string]>([
  [{ status: 404 }, 'not-found', `${URL}: bad HTTP status code: 404`],
  [{ status: 206 }, 'bad-answer', `${URL}: bad HTTP status code: 206`],
  [{ body: Buffer.alloc(64 * 1024 + 1) }, 'too-large', 'the file is longer than 65536 bytes'],
  [undefined, 'network', `cannot fetch ${URL}: no such host`],
])('is not there: %j', async (answer, code, problem) => {
  const client = serving(answer);
  const message = `error downloading the signature file: ${problem}`;
  await expect(downloadSignature(client, URL)).rejects.toMatchObject({ code, message });
  await expect(downloadDeferredSignature(client, URL)).rejects.toMatchObject({ code, message });
  expect(client.open).toBe(0);
});

test('an abort stays what it is', async () => {
  const signal = AbortSignal.abort(new Error('stopped'));
  await expect(downloadSignature(serving({}), URL, { signal })).rejects.toThrow(/^stopped$/);
});
