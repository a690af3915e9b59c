import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import * as tar from './tar-archive.ts';

/** What a layer is in a layout: an uncompressed tar, and what is written of it. */
export interface TestLayer {
  readonly tar: Buffer;
  /** Defaults to gzip. */
  readonly compress?: 'gzip' | 'none' | ((tar: Buffer) => { readonly blob: Buffer; readonly suffix: string });
}

export const ACI_MANIFEST = {
  acKind: 'ImageManifest',
  acVersion: '0.8.11',
  name: 'example.com/test',
  labels: [
    { name: 'os', value: 'linux' },
    { name: 'arch', value: 'amd64' },
  ],
  app: { exec: ['/bin/true'], user: '0', group: '0' },
};

/** An ACI's bytes, uncompressed: the manifest, the root and these entries. */
export function aci(...entries: readonly Buffer[]): Buffer {
  return aciOf({}, ...entries);
}

/** The same with another manifest: what is not said of it is as in `ACI_MANIFEST`. */
export function aciOf(manifest: Readonly<Record<string, unknown>>, ...entries: readonly Buffer[]): Buffer {
  const text = JSON.stringify({ ...ACI_MANIFEST, ...manifest });
  return tar.archive(tar.file('manifest', text), tar.directory('rootfs'), ...entries);
}

/** A manifest's labels, of an image for any machine that runs the tests. */
export function labelsOf(labels: Readonly<Record<string, string>>) {
  const own = Object.entries(labels).map(([name, value]) => ({ name, value }));
  return [...ACI_MANIFEST.labels, ...own];
}

export const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

/** Writes an OCI layout with one image, tag `latest`; returns its reference. */
export function writeLayout(directory: string, layers: readonly TestLayer[]): string {
  mkdirSync(join(directory, 'blobs/sha256'), { recursive: true });
  const write = (blob: Buffer, mediaType: string) => {
    writeFileSync(join(directory, 'blobs/sha256', sha256(blob)), blob);
    return { mediaType, digest: `sha256:${sha256(blob)}`, size: blob.length };
  };
  const type = (name: string) => `application/vnd.oci.image.${name}`;
  const config = {
    architecture: 'amd64',
    os: 'linux',
    config: { Cmd: ['/bin/true'] },
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => `sha256:${sha256(layer.tar)}`) },
  };
  const manifest = {
    schemaVersion: 2,
    mediaType: type('manifest.v1+json'),
    config: write(Buffer.from(JSON.stringify(config)), type('config.v1+json')),
    layers: layers.map((layer) => {
      const { blob, suffix } = compressed(layer);
      return write(blob, type(`layer.v1.tar${suffix}`));
    }),
  };
  const entry = write(Buffer.from(JSON.stringify(manifest)), manifest.mediaType);
  const annotations = { 'org.opencontainers.image.ref.name': 'latest' };
  writeFileSync(
    join(directory, 'index.json'),
    JSON.stringify({ schemaVersion: 2, manifests: [{ ...entry, annotations }] }),
  );
  writeFileSync(join(directory, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  return `oci:${directory}:latest`;
}

function compressed({ tar: bytes, compress = 'gzip' }: TestLayer): {
  readonly blob: Buffer;
  readonly suffix: string;
} {
  if (typeof compress === 'function') return compress(bytes);
  return compress === 'gzip' ? { blob: gzipSync(bytes), suffix: '+gzip' } : { blob: bytes, suffix: '' };
}
