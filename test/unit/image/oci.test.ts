import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findOciImage, importOci } from '../../../src/image/oci.ts';
import type { OciSource } from '../../../src/image/source.ts';
import {
  configMediaType,
  manifestMediaType,
  parseDigest,
  tarLayerMediaType,
} from '../../../src/oci/index.ts';
import { openStore } from '../../../src/store/index.ts';

const digestOf = (content: Buffer) =>
  parseDigest(`sha256:${createHash('sha256').update(content).digest('hex')}`);

/** An image without layers, whose configuration is what it is told. */
function sourceOf(config: Buffer): OciSource {
  const descriptor = { mediaType: configMediaType, digest: digestOf(config), size: config.length };
  const text = JSON.stringify({
    schemaVersion: 2,
    mediaType: manifestMediaType,
    config: descriptor,
    layers: [],
  });
  async function* bytes() {
    yield config;
  }
  return {
    root: async () => ({ text, mediaType: manifestMediaType, digest: digestOf(Buffer.from(text)) }),
    document: () => Promise.reject(new Error('there is none')),
    blob: () => ({ open: async () => ({ bytes: bytes(), offset: 0, total: config.length }) }),
  };
}

const platform = { os: 'linux', architecture: 'amd64' };
const configText = (author: string) =>
  `{"os":"linux","architecture":"amd64","author":"${author}","rootfs":{"type":"layers","diff_ids":[]}}`;

test('a configuration is kept as it came: one that is no text would have another digest as text', async () => {
  const good = Buffer.from(configText('\ufeffä'));
  const { configText: kept } = await findOciImage(sourceOf(good), platform);
  expect(Buffer.from(kept).equals(good)).toBe(true);
  const bad = Buffer.from(configText('\xff'), 'latin1');
  await expect(findOciImage(sourceOf(bad), platform)).rejects.toMatchObject({
    code: 'bad-image',
    message: `configuration ${digestOf(bad)} is not UTF-8`,
  });
});

test('a layer that says it is larger than any disk is not begun with', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'rkt-oci-'));
  try {
    const store = openStore(directory);
    using pins = store.pins();
    const diffID = digestOf(Buffer.from('layer'));
    const source = sourceOf(Buffer.from(configText('a').replace('[]', `["${diffID}"]`)));
    const found = await findOciImage(source, platform);
    const layer = {
      mediaType: `${tarLayerMediaType}+gzip`,
      digest: diffID,
      size: 2 ** 50,
      annotations: {},
      urls: [],
      compression: 'gzip',
    } as const;
    const huge = { ...found, manifest: { ...found.manifest, layers: [layer] } };
    await expect(
      importOci(store, source, huge, { name: 'x', originalName: 'x' }, { pins, extract: false }),
    ).rejects.toMatchObject({ code: 'too-large', message: expect.stringContaining(`${2 ** 50} bytes`) });
    expect(readdirSync(directory)).toEqual([]);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
