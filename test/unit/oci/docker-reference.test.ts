import { expect, test } from 'vitest';
import { parseDockerReference, repositoryName } from '../../../src/oci/docker-reference.ts';
import { OciError } from '../../../src/oci/errors.ts';
import { sha } from './document-examples.ts';

test.each([
  ['busybox', { registry: 'docker.io', path: 'library/busybox' }],
  ['busybox:1.36', { registry: 'docker.io', path: 'library/busybox', tag: '1.36' }],
  ['someone/app', { registry: 'docker.io', path: 'someone/app' }],
  ['docker.io/busybox', { registry: 'docker.io', path: 'library/busybox' }],
  ['index.docker.io/library/busybox', { registry: 'docker.io', path: 'library/busybox' }],
  ['registry-1.docker.io/someone/app', { registry: 'docker.io', path: 'someone/app' }],
  ['localhost/app', { registry: 'localhost', path: 'app' }],
  ['localhost:5000/a/b/c:T_1', { registry: 'localhost:5000', path: 'a/b/c', tag: 'T_1' }],
  ['[::1]:5000/app', { registry: '[::1]:5000', path: 'app' }],
  ['Host/app', { registry: 'Host', path: 'app' }],
  ['quay.io/a__b/c.d-e--f', { registry: 'quay.io', path: 'a__b/c.d-e--f' }],
  [`quay.io/a/b@${sha('a')}`, { registry: 'quay.io', path: 'a/b', digest: sha('a') }],
  [`quay.io/a/b:1@${sha('a')}`, { registry: 'quay.io', path: 'a/b', tag: '1', digest: sha('a') }],
])('%s', (text, reference) => {
  expect(parseDockerReference(text)).toEqual(reference);
});

test('the repository has one name', () => {
  const names = ['busybox', 'docker.io/busybox:1', `index.docker.io/library/busybox@${sha('a')}`];
  expect(new Set(names.map((name) => repositoryName(parseDockerReference(name))))).toEqual(
    new Set(['docker.io/library/busybox']),
  );
});

test.each([
  '',
  ':1',
  '/app',
  'a/',
  'a//b',
  'UPPER',
  'quay.io/Upper',
  'quay.io/',
  'a_/b',
  '-a',
  'a..b/c',
  'host:port/app',
  'a:',
  'a:.b',
  `a:${'b'.repeat(129)}`,
  'a@sha256:short',
  `a@${sha('a')}@${sha('a')}`,
  'a'.repeat(256),
  '../a',
  'quay.io/../a',
  'a b',
  'a\n',
])('%j is refused', (text) => {
  expect(() => parseDockerReference(text)).toThrow(OciError);
});
