import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fetchImage, parseReference } from '../../../src/image/index.ts';
import { openStore } from '../../../src/store/index.ts';
import { fetchContext } from '../../support/fetch.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'rkt-fetch-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test.each([
  'docker://registry.example/app',
  'oci:layout',
  'oci-archive:image.tar',
  'docker-archive:image.tar',
  'sha512-abcdef',
])('a signature file for %s, of which nothing would be checked, is refused', async (text) => {
  const store = openStore(join(directory, 'data'));
  using pins = store.pins();
  const request = {
    reference: parseReference(text, '/'),
    pullPolicy: 'new',
    signature: '/image.asc',
  } as const;
  await expect(fetchImage(fetchContext(store, []), request, { pins, extract: false })).rejects.toMatchObject({
    code: 'unsupported',
    message: `image ${text} is not one whose signature is a file: --signature is for ACIs`,
  });
  expect(readdirSync(directory)).toEqual([]);
});
