import { sha256 } from '../image-files.ts';
import type { Packed } from './packing.ts';

export interface FuzzLayer {
  readonly tar: Buffer;
  readonly packed: Packed;
}

export type DocumentName = 'config' | 'manifest' | 'variants' | 'index' | 'layout';

/** How a document is written: where its valid text gives way to another. */
export type DocumentWriter = (name: DocumentName, document: unknown) => string;

/** An image in pieces, each known by the digest of what it is, however odd. */
export interface OciDocuments {
  /** By hex digest. */
  readonly blobs: ReadonlyMap<string, Buffer>;
  readonly config: string;
  readonly manifest: string;
  /** An index of the manifest for two platforms. */
  readonly variants: string;
  /** The layout's own index, whose tag `latest` is the one above. */
  readonly index: string;
  readonly layout: string;
}

const TYPE = 'application/vnd.oci.image';

/** Manifest, configuration and indexes of these layers, as valid as the writer leaves them. */
export function ociDocuments(layers: readonly FuzzLayer[], write: DocumentWriter): OciDocuments {
  const blobs = new Map<string, Buffer>();
  const blob = (bytes: Buffer, mediaType: string) => {
    blobs.set(sha256(bytes), bytes);
    return { mediaType, digest: `sha256:${sha256(bytes)}`, size: bytes.length };
  };
  const config = write('config', configOf(layers));
  const describedConfig = blob(Buffer.from(config), `${TYPE}.config.v1+json`);
  const manifestType = `${TYPE}.manifest.v1+json`;
  const manifest = write('manifest', {
    schemaVersion: 2,
    mediaType: manifestType,
    config: describedConfig,
    layers: layers.map(({ packed }) => blob(packed.bytes, `${TYPE}.layer.v1.tar${packed.suffix}`)),
    annotations: { 'org.opencontainers.image.title': 'fuzz' },
  });
  const described = blob(Buffer.from(manifest), manifestType);
  const other = { ...described, platform: { os: 'linux', architecture: 'arm64', variant: 'v8' } };
  const own = { ...described, platform: { os: 'linux', architecture: 'amd64' } };
  const indexType = `${TYPE}.index.v1+json`;
  const variants = write('variants', { schemaVersion: 2, mediaType: indexType, manifests: [other, own] });
  const annotations = { 'org.opencontainers.image.ref.name': 'latest' };
  const entry = { ...blob(Buffer.from(variants), indexType), annotations };
  return {
    blobs,
    config,
    manifest,
    variants,
    index: write('index', { schemaVersion: 2, mediaType: indexType, manifests: [entry] }),
    layout: write('layout', { imageLayoutVersion: '1.0.0' }),
  };
}

function configOf(layers: readonly FuzzLayer[]): unknown {
  return {
    created: '2020-01-02T03:04:05Z',
    author: 'somebody',
    architecture: 'amd64',
    os: 'linux',
    config: {
      User: '1000:100',
      ExposedPorts: { '80/tcp': {}, '53/udp': {} },
      Env: ['PATH=/usr/bin:/bin', 'MODE=fuzz'],
      Entrypoint: ['/bin/entry'],
      Cmd: ['--flag', 'value'],
      Volumes: { '/var/lib/data': {} },
      WorkingDir: '/srv',
      Labels: { maintainer: 'somebody' },
      StopSignal: 'SIGTERM',
    },
    rootfs: { type: 'layers', diff_ids: layers.map(({ tar }) => `sha256:${sha256(tar)}`) },
    history: [{ created: '2020-01-02T03:04:05Z', created_by: 'fuzz' }],
  };
}
