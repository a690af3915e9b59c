import { describe, expect, test } from 'vitest';
import { parseDocument, parseIndex, readDocument } from '../../../src/oci/document.ts';
import { largestManifest, mostLayers } from '../../../src/oci/limits.ts';
import { layerCompression } from '../../../src/oci/media-types.ts';
import {
  descriptor,
  dockerTypes,
  indexOf,
  manifestOf,
  ociTypes,
  parsedManifest,
  sha,
} from './document-examples.ts';

const ociManifest = manifestOf(ociTypes);
const ociIndex = indexOf(ociTypes);

describe.each([
  ['OCI', ociTypes],
  ['Docker', dockerTypes],
])('%s', (_, types) => {
  test('a manifest has a configuration and layers', () => {
    const manifest = parsedManifest(manifestOf(types), types.manifest);
    expect(manifest).toMatchObject({ kind: 'manifest', config: { digest: sha('c'), size: 100 } });
    expect(manifest.layers.map(({ digest, compression }) => [digest, compression])).toEqual([
      [sha('1'), 'gzip'],
      [sha('2'), 'gzip'],
    ]);
  });

  test('an index has manifests', () => {
    const index = parseIndex(indexOf(types), types.index);
    expect(index.manifests.map(({ platform }) => platform?.architecture)).toEqual([
      'amd64',
      'arm',
      'arm',
      'unknown',
    ]);
  });
});

describe('layers', () => {
  test.each([
    ['application/vnd.oci.image.layer.v1.tar', 'none'],
    ['application/vnd.oci.image.layer.v1.tar+gzip', 'gzip'],
    ['application/vnd.oci.image.layer.v1.tar+zstd', 'zstd'],
    ['application/vnd.oci.image.layer.nondistributable.v1.tar+zstd', 'zstd'],
    ['application/vnd.docker.image.rootfs.diff.tar', 'none'],
    ['application/vnd.docker.image.rootfs.foreign.diff.tar.gzip', 'gzip'],
    ['application/vnd.oci.image.config.v1+json', undefined],
    ['text/html', undefined],
  ])('%s is compressed by %s', (mediaType, compression) => {
    expect(layerCompression(mediaType)).toBe(compression);
  });

  test('may say where else they are', () => {
    const layer = descriptor(ociTypes.layer, '1', { urls: ['https://example.com/layer'] });
    expect(parsedManifest({ ...ociManifest, layers: [layer] }).layers[0]?.urls).toEqual([
      'https://example.com/layer',
    ]);
  });
});

describe('what a document is', () => {
  const { mediaType: _, ...untyped } = ociManifest;
  const { mediaType: __, ...untypedIndex } = ociIndex;

  test('is seen from its members when nobody says', () => {
    expect(parseDocument(untyped).kind).toBe('manifest');
    expect(parseDocument(untypedIndex).kind).toBe('index');
  });

  test('is an index where one is expected and nothing is listed', () => {
    expect(parseIndex({ schemaVersion: 2, manifests: null }).manifests).toEqual([]);
  });

  test('is read from text', () => {
    expect(readDocument(JSON.stringify(ociIndex), ociTypes.index).kind).toBe('index');
  });

  test.each<[unknown, string | undefined, string | RegExp]>([
    [{ ...untyped, manifests: ociIndex.manifests }, undefined, 'is both a manifest and an index'],
    [{ ...ociManifest, mediaType: ociTypes.index }, undefined, 'is both a manifest and an index'],
    [untyped, ociTypes.index, 'is both a manifest and an index'],
    [untypedIndex, ociTypes.manifest, 'is both a manifest and an index'],
    [untyped, 'text/html', 'mediaType: expected a manifest or an index, got "text/html"'],
    [untyped, ociTypes.layer, /^mediaType: expected a manifest or an index/],
    [
      untyped,
      'application/vnd.docker.distribution.manifest.v1+prettyjws',
      /Docker gave up that format in 2017/,
    ],
    [{ ...untyped, schemaVersion: 1 }, undefined, 'schemaVersion: version 1 is not understood, 2 is'],
    [{ config: untyped.config }, undefined, 'schemaVersion: is required'],
    [{ schemaVersion: 2 }, undefined, 'config: is required'],
    [
      { ...untyped, config: descriptor('application/vnd.helm', 'c') },
      undefined,
      /artifact of type "application\/vnd\.helm"/,
    ],
    [
      { ...untyped, artifactType: 'sbom/x', config: descriptor('application/vnd.oci.empty.v1+json', 'c') },
      undefined,
      'config.mediaType: not an image but an artifact of type "sbom/x"',
    ],
    [
      { ...untyped, layers: [descriptor('text/plain', '1')] },
      undefined,
      'layers[0].mediaType: expected a layer, got "text/plain"',
    ],
    [
      { ...untyped, layers: [descriptor(ociTypes.layer, '1', { size: -1 })] },
      undefined,
      /^layers\[0\]\.size: expected an integer/,
    ],
    [
      { ...untyped, layers: [descriptor(ociTypes.layer, '1', { digest: 'x' })] },
      undefined,
      /^layers\[0\]\.digest: expected a digest/,
    ],
    [
      { ...untypedIndex, manifests: [{ ...ociIndex.manifests[0], size: '1' }] },
      undefined,
      /^manifests\[0\]\.size: expected/,
    ],
    [
      { ...untyped, layers: new Array(mostLayers + 1).fill(descriptor(ociTypes.layer, '1')) },
      undefined,
      'layers: 501 layers, at most 500 can be stacked',
    ],
  ])('%#: %j as %j is refused', (json, mediaType, message) => {
    expect(() => parseDocument(json, mediaType)).toThrow(message);
  });

  test('the other kind is refused where one is expected', () => {
    expect(() => parseIndex(ociManifest, ociTypes.manifest)).toThrow('expected an index, got a manifest');
  });

  test('too much of it is refused before it is parsed', () => {
    expect(() => readDocument(' '.repeat(largestManifest + 1))).toThrow(/at most 4194304 are allowed/);
  });
});
