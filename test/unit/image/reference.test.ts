import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ImageError, parseReference } from '../../../src/image/index.ts';

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'rkt-reference-'));
  writeFileSync(join(directory, 'named'), '');
  mkdirSync(join(directory, 'folder'));
});
afterAll(() => rmSync(directory, { recursive: true }));

test.each([
  ['image.aci', { kind: 'aci-file', path: 'DIR/image.aci' }],
  ['./image', { kind: 'aci-file', path: 'DIR/image' }],
  ['/abs/image', { kind: 'aci-file', path: '/abs/image' }],
  ['file:///abs/my%20image.aci', { kind: 'aci-file', path: '/abs/my image.aci' }],
  ['named', { kind: 'aci-file', path: 'DIR/named' }],
  ['oci:layout', { kind: 'oci-layout', path: 'DIR/layout', tag: undefined }],
  ['oci:/abs/layout:latest', { kind: 'oci-layout', path: '/abs/layout', tag: 'latest' }],
  ['oci:layout:example.com/app:1.0', { kind: 'oci-layout', path: 'DIR/layout', tag: 'example.com/app:1.0' }],
  ['oci-archive:image.tar:v1', { kind: 'oci-archive', path: 'DIR/image.tar', tag: 'v1' }],
  ['sha512-ab', { kind: 'image-id', id: 'sha512-ab' }],
  ['sha256-', { kind: 'image-id', id: 'sha256-' }],
])('%s', (text, expected) => {
  const path = 'path' in expected ? { path: expected.path?.replace('DIR', directory) } : {};
  expect(parseReference(text, directory)).toEqual({ ...expected, ...path, text });
});

test.each([
  ['', 'bad-reference'],
  ['oci:', 'bad-reference'],
  ['oci:layout:', 'bad-reference'],
  ['oci-archive::tag', 'bad-reference'],
  ['file://elsewhere/image.aci', 'bad-reference'],
  ['docker://busybox', 'unsupported'],
  ['docker:busybox', 'unsupported'],
  ['https://example.com/image.aci', 'unsupported'],
  ['example.com/app:1.0,os=linux', 'unsupported'],
  ['folder', 'unsupported'],
])('refuses %j', (text, code) => {
  expect(() => parseReference(text, directory)).toThrow(
    expect.objectContaining({ name: ImageError.name, code }),
  );
});
