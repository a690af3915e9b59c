import { expect, test } from 'vitest';
import { formatRegistryReference, parseRegistryReference } from '../../../../src/image/registry/reference.ts';

const HUB = 'registry-1.docker.io';
const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`;

test.each([
  ['busybox', HUB, 'library/busybox', 'latest', undefined],
  ['library/busybox:latest', HUB, 'library/busybox', 'latest', undefined],
  ['docker.io/busybox:1.36', HUB, 'library/busybox', '1.36', undefined],
  [`${HUB}/prom/prometheus`, HUB, 'prom/prometheus', 'latest', undefined],
  [`busybox@${DIGEST}`, HUB, 'library/busybox', undefined, DIGEST],
  [`quay.io/a/b/c:v1@${DIGEST}`, 'quay.io', 'a/b/c', 'v1', DIGEST],
  ['Quay.IO/coreos/etcd:v3.3', 'quay.io', 'coreos/etcd', 'v3.3', undefined],
  ['localhost/app', 'localhost', 'app', 'latest', undefined],
  ['localhost:5000/app', 'localhost:5000', 'app', 'latest', undefined],
  ['127.0.0.1:5000/a/b:t', '127.0.0.1:5000', 'a/b', 't', undefined],
  ['[::1]:5000/app', '[::1]:5000', 'app', 'latest', undefined],
])('%s', (text, registry, repository, tag, digest) => {
  const reference = parseRegistryReference(text);
  expect(reference).toEqual({ registry, repository, tag, digest });
  const whole = [`${registry}/${repository}`, tag && `:${tag}`, digest && `@${digest}`].join('');
  expect(formatRegistryReference(reference)).toBe(whole);
  expect(parseRegistryReference(whole)).toEqual(reference);
});

test.each([
  '',
  'Busybox',
  'busybox:',
  'busybox@sha256:0',
  `busybox@${DIGEST}@${DIGEST}`,
  'a//b',
  '../../etc/passwd',
  'registry.example/../x',
  'registry.example/a?b',
  'user@registry.example/a',
  'registry.example:99999999/a',
  'https://registry.example/a',
  `a/${'x'.repeat(300)}`,
])('%o names no image', (text) => {
  expect(() => parseRegistryReference(text)).toThrow(
    expect.objectContaining({ name: 'ImageError', code: 'bad-reference' }),
  );
});
