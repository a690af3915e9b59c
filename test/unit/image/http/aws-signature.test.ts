import { expect, test } from 'vitest';
import { awsHeaders, awsRegionOf } from '../../../../src/image/http/aws-signature.ts';

// The examples of "Signature Calculations for the Authorization Header" in the reference of Amazon S3.

const KEY = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
};
const NOW = new Date('2013-05-24T00:00:00Z');
const HOST = 'https://examplebucket.s3.amazonaws.com';

test.each([
  {
    of: 'an object, by a range',
    path: '/test.txt',
    headers: { range: 'bytes=0-9' },
    signed: 'host;range;x-amz-content-sha256;x-amz-date',
    signature: 'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
  },
  {
    of: 'a parameter without a value',
    path: '/?lifecycle',
    headers: {},
    signed: 'host;x-amz-content-sha256;x-amz-date',
    signature: 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
  },
  {
    of: 'parameters',
    path: '/?prefix=J&max-keys=2',
    headers: {},
    signed: 'host;x-amz-content-sha256;x-amz-date',
    signature: '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
  },
])('the signature of $of is the published one', ({ path, headers, signed, signature }) => {
  const credential = 'AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request';
  expect(awsHeaders({ method: 'GET', url: new URL(path, HOST), headers }, KEY, NOW)).toEqual({
    authorization: `AWS4-HMAC-SHA256 Credential=${credential},SignedHeaders=${signed},Signature=${signature}`,
    'x-amz-content-sha256': 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    'x-amz-date': '20130524T000000Z',
  });
});

test('what means the same is signed the same, and another method, port or region is not', () => {
  const signature = (url: string, method = 'GET', region?: string) => {
    const key = region === undefined ? KEY : { ...KEY, region };
    const { authorization } = awsHeaders({ method, url: new URL(url) }, key, NOW);
    return authorization;
  };
  const plain = signature(`${HOST}/a(b)%20!`);
  expect(signature(`${HOST}/a%28b%29 %21`)).toBe(plain);
  for (const other of [
    signature(`${HOST}/a(b)%20!`, 'HEAD'),
    signature('https://examplebucket.s3.amazonaws.com:8443/a(b)%20!'),
    signature(`${HOST}/a(b)%20!`, 'GET', 'eu-west-1'),
    signature(`${HOST}/a%2528b)%20!`),
  ])
    expect(other).not.toBe(plain);
  expect(signature(`${HOST}/%zz`)).toMatch(/^AWS4/);
  expect(signature(`${HOST}/?a=2&a-b=1&a=1`)).toBe(signature(`${HOST}/?a-b=1&a=1&a=2`));
});

test.each([
  ['s3.amazonaws.com', 'us-east-1'],
  ['s3-external-1.amazonaws.com', 'us-east-1'],
  ['bucket.s3.amazonaws.com', 'us-east-1'],
  ['s3-eu-west-1.amazonaws.com', 'eu-west-1'],
  ['s3.eu-central-1.amazonaws.com', 'eu-central-1'],
  ['my.bucket.s3-us-west-2.amazonaws.com', 'us-west-2'],
  ['bucket.s3.dualstack.eu-west-1.amazonaws.com', 'eu-west-1'],
  ['bucket.s3.cn-north-1.amazonaws.com.cn', 'cn-north-1'],
  ['minio.example.com', 'us-east-1'],
  ['s3.eu-west-1.amazonaws.com.example.com', 'us-east-1'],
])('the region of %s is %s', (host, region) => {
  expect(awsRegionOf(host)).toBe(region);
});
