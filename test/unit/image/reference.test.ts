import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ImageError, parseReference } from '../../../src/image/index.ts';
import { canonicalReference } from '../../../src/image/reference.ts';

const DIGEST = `sha256:${'ab'.repeat(32)}`;
const HUB = { registry: 'registry-1.docker.io', repository: 'library/busybox' };

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'rkt-reference-'));
  for (const name of ['named', 'named:v1', 'dir:named']) writeFileSync(join(directory, name), '');
  mkdirSync(join(directory, 'folder'));
  mkdirSync(join(directory, 'example.com'));
  writeFileSync(join(directory, 'example.com/app'), '');
});
afterAll(() => rmSync(directory, { recursive: true }));

test.each([
  ['image.aci', { kind: 'aci-file', path: 'DIR/image.aci' }],
  ['./image', { kind: 'aci-file', path: 'DIR/image' }],
  ['../image', { kind: 'aci-file', path: 'DIR/../image' }],
  ['a/../image', { kind: 'aci-file', path: 'DIR/image' }],
  ['./a:b', { kind: 'aci-file', path: 'DIR/a:b' }],
  ['/abs/image', { kind: 'aci-file', path: '/abs/image' }],
  ['file:///abs/my%20image.aci', { kind: 'aci-file', path: '/abs/my image.aci' }],
  ['named', { kind: 'aci-file', path: 'DIR/named' }],
  ['named:v1', { kind: 'aci-file', path: 'DIR/named:v1' }],
  ['dir:named', { kind: 'aci-file', path: 'DIR/dir:named' }],
  ['example.com/app', { kind: 'aci-file', path: 'DIR/example.com/app' }],
  ['oci:layout', { kind: 'oci-layout', path: 'DIR/layout', tag: undefined }],
  ['oci:/abs/layout:latest', { kind: 'oci-layout', path: '/abs/layout', tag: 'latest' }],
  ['oci:layout:example.com/app:1.0', { kind: 'oci-layout', path: 'DIR/layout', tag: 'example.com/app:1.0' }],
  ['oci-archive:image.tar:v1', { kind: 'oci-archive', path: 'DIR/image.tar', tag: 'v1' }],
  ['docker-archive:image.tar', { kind: 'docker-archive', path: 'DIR/image.tar', tag: undefined }],
  ['docker-archive:/i.tar:busybox', { kind: 'docker-archive', path: '/i.tar', tag: 'busybox' }],
  ['docker-archive:i.tar:h:5000/a:1', { kind: 'docker-archive', path: 'DIR/i.tar', tag: 'h:5000/a:1' }],
  ['sha512-ab', { kind: 'image-id', id: 'sha512-ab' }],
  ['sha256-', { kind: 'image-id', id: 'sha256-' }],
])('%s is in a file or the store', (text, expected) => {
  const path = 'path' in expected ? { path: join(expected.path?.replace('DIR', directory) ?? '') } : {};
  expect(parseReference(text, directory)).toEqual({ ...expected, ...path, text });
});

test.each([
  ['folder', 'folder', []],
  ['example.com/other', 'example.com/other', []],
  ['my-app:v1.0', 'my-app', ['version=v1.0']],
  ['example.com/app:1.0.aci', 'example.com/app', ['version=1.0.aci']],
  ['example.com/app:1.0,os=linux,arch=amd64', 'example.com/app', ['arch=amd64', 'os=linux', 'version=1.0']],
  ['constructor:1', 'constructor', ['version=1']],
  ['cimd:appc:v=0:example.com/app?version=1.0', 'example.com/app', ['version=1.0']],
])('%s is a name', (text, name, labels) => {
  const reference = parseReference(text, directory);
  expect(reference).toMatchObject({ kind: 'appc-name', text, name });
  const found = reference.kind === 'appc-name' ? reference.labels : [];
  expect(found.map((label) => `${label.name}=${label.value}`)).toEqual(labels);
});

test.each([
  ['https://example.com/image.aci', { kind: 'aci-url', url: 'https://example.com/image.aci' }],
  ['http://EXAMPLE.com:80/a/../b.aci?c#d', { kind: 'aci-url', url: 'http://example.com/b.aci?c' }],
  ['docker://busybox', { kind: 'docker', reference: { ...HUB, tag: 'latest' } }],
  ['docker:busybox:1', { kind: 'docker', reference: { ...HUB, tag: '1' } }],
  [`docker:busybox@${DIGEST}`, { kind: 'docker', reference: { ...HUB, digest: DIGEST } }],
  [
    'docker://127.0.0.1:5000/a/b',
    { kind: 'docker', reference: { registry: '127.0.0.1:5000', repository: 'a/b', tag: 'latest' } },
  ],
])('%s is on the network', (text, expected) => {
  expect(parseReference(text, directory)).toEqual({ ...expected, text });
});

test.each([
  ['', 'bad-reference', 'image string is empty'],
  ['oci:', 'bad-reference', 'image string "oci:" is not oci:PATH[:TAG]'],
  ['oci:layout:', 'bad-reference', 'is not oci:PATH[:TAG]'],
  ['oci-archive::tag', 'bad-reference', 'is not oci-archive:PATH[:TAG]'],
  ['docker-archive:a.tar:', 'bad-reference', 'is not docker-archive:FILE[:REPOSITORY[:TAG]]'],
  ['docker-archive:a.tar:UPPER', 'bad-reference', 'UPPER'],
  [`docker-archive:a.tar:busybox@${DIGEST}`, 'bad-reference', 'has a digest'],
  [
    'file://elsewhere/image.aci',
    'bad-reference',
    '"file://elsewhere/image.aci" is not the URL of a local file',
  ],
  ['file:///a%00b', 'bad-reference', 'is not the URL of a local file'],
  ['docker://', 'bad-reference', 'image name ""'],
  ['docker://Upper', 'bad-reference', 'image name "Upper"'],
  ['https://example.com/image', 'bad-reference', 'https://example.com/image is not the URL of an .aci file'],
  ['https://example.com/image?a=.aci', 'bad-reference', 'https://example.com/image?... is not the URL'],
  ['https://', 'bad-reference', 'not a URL: "https://"'],
  ['https://user:secret@example.com/image.aci', 'bad-reference', 'has a user name or password in it'],
  [
    'Example.com/app',
    'bad-reference',
    '"Example.com/app" names neither a file nor an image: expected an AC id',
  ],
  ['example.com/app:1:2', 'bad-reference', 'more than one colon'],
  ['example.com/app,os', 'bad-reference', 'label "os" has no value'],
  ['cimd:what', 'bad-reference', '"cimd:what" is not of the form'],
  ['docker-daemon:busybox:latest', 'unsupported', 'docker save'],
  ['containers-storage:busybox', 'unsupported', 'podman push'],
  ['dir:folder', 'unsupported', 'skopeo copy'],
])('%j is refused', (text, code, problem) => {
  const message = expect.stringContaining(problem);
  expect(() => parseReference(text, directory)).toThrow(
    expect.objectContaining({ name: ImageError.name, code, message }),
  );
});

test('a password in a URL is not repeated', () => {
  for (const text of ['https://user:secret@h/image.aci', 'https://user:secret@:/image.aci']) {
    expect(() => parseReference(text, directory)).toThrow(/^(?!.*secret)/);
  }
});

describe('the canonical reference', () => {
  const canonical = (text: string) =>
    canonicalReference(parseReference(text.replace('DIR', directory), directory));

  // Those of names, archives and Docker are rkt's own, to the letter.
  test.each([
    ['example.com/app01', 'cimd:appc:v=0:example.com/app01'],
    ['example.com/app01:v1.0.0', 'cimd:appc:v=0:example.com/app01?version=v1.0.0'],
    [
      'example.com/app01:v1.0.0,label01=?&*/',
      'cimd:appc:v=0:example.com/app01?label01=%3F%26%2A%2F&version=v1.0.0',
    ],
    ['/full/path/to/file', 'cimd:aci-archive:v=0:file%3A%2F%2F%2Ffull%2Fpath%2Fto%2Ffile'],
    ['https://example.com/app.aci', 'cimd:aci-archive:v=0:https%3A%2F%2Fexample.com%2Fapp.aci'],
    ['docker://busybox', 'cimd:docker:v=0:registry-1.docker.io/library/busybox:latest'],
    [`docker:busybox@${DIGEST}`, `cimd:docker:v=0:registry-1.docker.io/library/busybox@${DIGEST}`],
    ['oci:/a/b:c d', 'cimd:oci-image-layout:v=0:file%3A%2F%2F%2Fa%2Fb?ref=c+d'],
    ['oci-archive:/a.tar', 'cimd:oci-archive:v=0:file%3A%2F%2F%2Fa.tar'],
    [
      'docker-archive:/a.tar:busybox',
      'cimd:docker-archive:v=0:file%3A%2F%2F%2Fa.tar?ref=registry-1.docker.io%2Flibrary%2Fbusybox%3Alatest',
    ],
    ['sha512-ab', 'sha512-ab'],
  ])('of %s is %s, which is its own', (text, expected) => {
    expect(canonical(text)).toBe(expected);
    expect(canonical(expected)).toBe(expected);
  });

  test.each([
    ['app:1,os=linux,arch=amd64', 'app,arch=amd64,version=1,os=linux'],
    ['./image.aci', 'file://DIR/image.aci'],
    ['named', './named'],
    ['https://example.com/a.aci', 'https://EXAMPLE.com:443/b/../a.aci#c'],
    ['docker:busybox', 'docker://docker.io/library/busybox:latest'],
    ['oci:layout:a', 'oci:DIR/layout:a'],
    ['docker-archive:a.tar:busybox', 'docker-archive:./a.tar:docker.io/busybox:latest'],
  ])('of %s is that of %s', (one, other) => {
    expect(canonical(one)).toBe(canonical(other));
  });

  test.each([
    ['app:1', 'app:2'],
    ['app', 'app:latest'],
    ['docker:a:1', 'docker:a:2'],
    ['https://h/a.aci?b', 'https://h/a.aci'],
    ['oci:layout', 'oci-archive:layout'],
    ['oci:layout', 'oci:layout:latest'],
    ['./a:b', './a'],
  ])('of %s is not that of %s', (one, other) => {
    expect(canonical(one)).not.toBe(canonical(other));
  });
});
