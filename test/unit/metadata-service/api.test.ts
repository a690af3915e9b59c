import { createHmac } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import type { HttpRequest } from '../../../metadata-service/http/request.ts';
import { MetadataApi } from '../../../metadata-service/metadata-api.ts';
import { Pods } from '../../../metadata-service/pods.ts';
import { RegistrationApi } from '../../../metadata-service/registration-api.ts';
import { KEY_BYTES, Signer } from '../../../metadata-service/signing.ts';
import { useEngine } from '../../../src/native/engine.ts';
import { koffiEngine } from '../../support/koffi-syscall.ts';

useEngine(koffiEngine);

const UUID = '3397aba7-b345-4a83-b25b-8ec24751a851';
const OTHER = '5397aba7-b345-4a83-b25b-8ec24751a851';
const [TOKEN, NEWER] = ['0123456789abcdef'.repeat(2), 'f'.repeat(32)];
const KEY = Buffer.alloc(KEY_BYTES, 7);
const ID = `sha512-${'0123456789abcdef'.repeat(4)}`;
const app = (name: string, annotations: readonly object[] = []) => ({ name, image: { id: ID }, annotations });
const pod = (apps: readonly object[]) =>
  JSON.stringify({
    acVersion: '0.8.11',
    acKind: 'PodManifest',
    apps,
    annotations: [
      { name: 'lorem', value: 'ipsum' },
      { name: 'a/b', value: 'c' },
    ],
  });
const POD = pod([app('web', [{ name: 'tier', value: 'front' }]), app('db')]);
const IMAGE = JSON.stringify({
  acVersion: '0.8.11',
  acKind: 'ImageManifest',
  name: 'example.com/web',
  annotations: [
    { name: 'tier', value: 'none' },
    { name: 'authors', value: 'x' },
  ],
});

let registration: RegistrationApi;
let metadata: MetadataApi;
let said: string[];
beforeEach(() => {
  const pods = new Pods();
  said = [];
  registration = new RegistrationApi(pods, 18112, (line) => void said.push(line));
  metadata = new MetadataApi(pods, new Signer(KEY));
  expect(put(`/pods/${UUID}?token=${TOKEN}`, POD)).toEqual([200, '{"port":18112}']);
  expect(put(`/pods/${UUID}/web`, IMAGE)).toEqual([200, '{}']);
});

function request(method: string, target: string, body = ''): HttpRequest {
  const [path = '', query = ''] = target.split('?');
  return { method, path, query, headers: new Map(), body: Buffer.from(body), keepAlive: true };
}

function register(method: string, target: string, body = ''): [number, string] {
  const response = registration.answer(request(method, target, body));
  return [response.status, response.body];
}

const put = (target: string, body: string) => register('PUT', target, body);
const ask = (method: string, path: string, body = '', token = TOKEN) =>
  metadata.answer(request(method, `/${token}/acMetadata/v1/${path}`, body));
const get = (path: string) => {
  const { status, type, body } = ask('GET', path);
  return [status, type.replace(/;.*/, ''), body];
};

describe('registration', () => {
  it('tells of who comes and goes, without what names him', () => {
    expect(register('DELETE', `/pods/${UUID}`)).toEqual([200, '{}']);
    expect(said).toEqual([`pod ${UUID} is registered`, `pod ${UUID} is not registered any more`]);
    expect(said.join()).not.toContain(TOKEN);
    expect(ask('GET', 'pod/uuid').status).toBe(401);
    expect(register('DELETE', `/pods/${UUID}`)[0]).toBe(404);
  });

  it('replaces a manifest: images of apps that have gone go, those of others stay', () => {
    expect(put(`/pods/${UUID}/db`, IMAGE)[0]).toBe(200);
    expect(put(`/pods/${UUID}?token=${TOKEN}`, pod([app('web')]))[0]).toBe(200);
    expect(get('apps/web/image/id')[0]).toBe(200);
    expect(get('apps/db/image/id')[0]).toBe(404);
    expect(put(`/pods/${UUID}?token=${TOKEN}`, POD)[0]).toBe(200);
    expect(get('apps/db/image/id')[0]).toBe(404);
  });

  it('knows a pod by its last token only', () => {
    put(`/pods/${UUID}?token=${NEWER}`, POD);
    expect(ask('GET', 'pod/uuid').status).toBe(401);
    expect(ask('GET', 'pod/uuid', '', NEWER).body).toBe(UUID);
  });

  it.each([
    [400, 'PUT', `/pods/${UUID}?token=${TOKEN}`, 'nonsense'],
    [400, 'PUT', `/pods/${UUID}?token=${TOKEN}`, IMAGE],
    [400, 'PUT', `/pods/${UUID}?token=short`, POD],
    [400, 'PUT', `/pods/${UUID}`, POD],
    [400, 'PUT', '/pods/x?token=1', POD],
    [400, 'PUT', `/pods/${UUID}/web`, POD],
    [400, 'PUT', `/pods/${UUID}/Not-A-Name`, IMAGE],
    [404, 'PUT', `/pods/${UUID}/other`, IMAGE],
    [404, 'PUT', `/pods/${OTHER}/web`, IMAGE],
    [404, 'PUT', `/pods/${UUID}/web/more`, IMAGE],
    [404, 'PUT', `/other/${UUID}`, POD],
    [405, 'GET', `/pods/${UUID}`, ''],
    [405, 'DELETE', `/pods/${UUID}/web`, ''],
  ])('answers %i to %s %s', (status, method, target, body) => {
    expect(register(method, target, body)[0]).toBe(status);
    // What was there is there.
    expect(get('apps/web/image/manifest')).toEqual([200, 'application/json', IMAGE]);
  });
});

describe('questions of a pod', () => {
  it.each([
    ['pod/uuid', 'text/plain', UUID],
    ['pod/manifest', 'application/json', POD],
    ['pod/annotations', 'application/json', '[{"name":"lorem","value":"ipsum"},{"name":"a/b","value":"c"}]'],
    ['pod/annotations/', 'application/json', '[{"name":"lorem","value":"ipsum"},{"name":"a/b","value":"c"}]'],
    ['pod/annotations/lorem', 'text/plain', 'ipsum'],
    ['pod/annotations/a/b', 'text/plain', 'c'],
    ['pod/annotations/a%2Fb', 'text/plain', 'c'],
    ['apps/web/image/id', 'text/plain', ID],
    ['apps/web/image/manifest', 'application/json', IMAGE],
    [
      'apps/web/annotations',
      'application/json',
      '[{"name":"tier","value":"front"},{"name":"authors","value":"x"}]',
    ],
    ['apps/web/annotations/tier', 'text/plain', 'front'],
  ])('%s', (path, type, body) => {
    expect(get(path)).toEqual([200, type, body]);
  });

  it.each([
    [404, 'GET', 'pod'],
    [404, 'GET', 'pod/annotations/none'],
    [404, 'GET', 'apps/db/image/id'],
    [404, 'GET', 'apps/none/annotations'],
    [404, 'GET', 'apps/web'],
    [404, 'GET', 'apps/web/image'],
    [404, 'GET', '../pods'],
    [405, 'POST', 'pod/uuid'],
    [405, 'GET', 'pod/hmac/sign'],
    [405, 'PUT', 'pod/manifest'],
  ])('%i: %s %s', (status, method, path) => {
    expect(ask(method, path).status).toBe(status);
  });

  it('says nothing to whom it does not know', () => {
    for (const token of ['', 'x', NEWER, UUID, TOKEN.toUpperCase(), `${TOKEN}0`])
      expect(ask('GET', 'pod/uuid', '', token)).toMatchObject({ status: 401, body: 'unrecognized token\n' });
    expect(metadata.answer(request('GET', '/')).status).toBe(401);
    expect(metadata.answer(request('GET', `/${TOKEN}`)).status).toBe(404);
  });
});

describe('signatures', () => {
  const escaped = (content: Buffer) =>
    [...content].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
  const sign = (content: Buffer, token = TOKEN) =>
    ask('POST', 'pod/hmac/sign', `content=${escaped(content)}`, token).body;
  const verify = (fields: Readonly<Record<string, string>>) => {
    const body = Object.entries(fields).map(([name, value]) => `${name}=${value}`);
    return ask('POST', 'pod/hmac/verify', body.join('&')).status;
  };

  it('are of the pod’s name and the content, bytes of all kinds', () => {
    const content = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    const octets = Buffer.from(UUID.replaceAll('-', ''), 'hex');
    const expected = createHmac('sha512', KEY).update(octets).update(content).digest('base64');
    expect(sign(content)).toBe(expected);
    const rest = { content: escaped(content), signature: encodeURIComponent(expected) };
    expect(verify({ uuid: UUID, ...rest })).toBe(200);
    expect(verify({ uuid: UUID.toUpperCase(), ...rest })).toBe(200);
    expect(verify({ uuid: OTHER, ...rest })).toBe(403);
    expect(verify({ uuid: UUID, ...rest, content: escaped(content.subarray(1)) })).toBe(403);
  });

  it('differ where bytes differ that are no text', () => {
    expect(sign(Buffer.from([0xff]))).not.toBe(sign(Buffer.from([0xfe])));
  });

  it.each([
    ['without a uuid', { content: 'x', signature: 'y' }],
    ['without a content', { uuid: UUID, signature: 'y' }],
    ['without a signature', { uuid: UUID, content: 'x' }],
    ['that is none', { uuid: UUID, content: 'x', signature: 'AAAA' }],
    ['of a pod that is none', { uuid: 'x', content: 'x', signature: 'AAAA' }],
  ])('are refused %s', (_, fields) => {
    expect(verify(fields)).toBe(400);
  });

  it('are not made of nothing', () => {
    expect(ask('POST', 'pod/hmac/sign', 'other=x').status).toBe(400);
    expect(ask('POST', 'pod/hmac/sign', 'content=').status).toBe(200);
  });
});
