import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openStore, type Store } from '../../src/store/index.ts';
import { fetchLocal } from '../support/fetch.ts';
import { aci } from '../support/image-files.ts';
import { LayoutWriter } from '../support/layout-writer.ts';
import * as tar from '../support/tar-archive.ts';

// Layers are shared by what they are: an image must not decide what is in those of another.

let base = '';
let store: Store;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'rkt-layers-'));
  store = openStore(join(base, 'data'));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

async function topOf(text: string): Promise<string[]> {
  const { layers } = await fetchLocal(store, text, base);
  return layers.flatMap((layer) => readdirSync(store.layerPath(layer))).sort();
}

test("an ACI that is a layer of somebody's OCI image is another one there, whichever comes first", async () => {
  const archive = aci(tar.file('rootfs/app', 'app'));
  writeFileSync(join(base, 'app.aci'), archive);
  const layout = new LayoutWriter(join(base, 'layout'));
  const evil = layout.tag(layout.image({ layers: [archive], algorithm: 'sha512' }), 'latest');
  expect(await topOf(evil)).toEqual(['manifest', 'rootfs']);
  expect(await topOf('app.aci')).toEqual(['app']);
  expect(await topOf(evil)).toEqual(['manifest', 'rootfs']);
});
