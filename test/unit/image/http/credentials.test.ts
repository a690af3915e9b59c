import { expect, test } from 'vitest';
import type { Credentials } from '../../../../src/config/index.ts';
import { credentialHeaders } from '../../../../src/image/http/credentials.ts';

const auth = new Map<string, Credentials>([
  ['basic.example.com', { type: 'basic', user: 'alice', password: 'pass:wörd' }],
  ['basic.example.com:8443', { type: 'basic', user: 'bob', password: 'other' }],
  ['named-port.example.com:443', { type: 'oauth', token: 'named' }],
  ['oauth.example.com', { type: 'oauth', token: 'abc' }],
  ['s3.eu-west-1.amazonaws.com', { type: 'aws', accessKeyId: 'ID', secretAccessKey: 'secret' }],
  ['minio.example.com', { type: 'aws', accessKeyId: 'ID', secretAccessKey: 'secret', region: 'moon' }],
]);
const NOW = new Date('2020-01-02T03:04:05.678Z');
const headers = (url: string) => credentialHeaders({ url }, auth, NOW);
const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` });

test('credentials go to the host and port that they are configured for', () => {
  expect(headers('https://basic.example.com/image.aci')).toEqual(basic('alice:pass:wörd'));
  expect(headers('https://BASIC.example.com:443/')).toEqual(basic('alice:pass:wörd'));
  expect(headers('https://basic.example.com:8443/')).toEqual(basic('bob:other'));
  expect(headers('https://oauth.example.com/')).toEqual({ authorization: 'Bearer abc' });
  expect(headers('https://named-port.example.com/')).toEqual({ authorization: 'Bearer named' });
});

test.each([
  'https://basic.example.com:8444/',
  'https://example.com/',
  'https://www.basic.example.com/',
  'https://basic.example.com.evil.example/',
  'https://evil.example/basic.example.com',
  'https://named-port.example.com:8443/',
  'http://named-port.example.com/',
])('and never to %s', (url) => {
  expect(headers(url)).toEqual({});
});

test('a request to an object store is signed for the region that its host or the configuration names', () => {
  const signed = headers('https://s3.eu-west-1.amazonaws.com/bucket/image.aci');
  const scope = (date: string) => expect.stringContaining(`Credential=ID/${date}/s3/aws4_request,`);
  expect(signed).toMatchObject({
    'x-amz-date': '20200102T030405Z',
    authorization: scope('20200102/eu-west-1'),
  });
  expect(headers('https://minio.example.com/x')).toMatchObject({ authorization: scope('20200102/moon') });
});
