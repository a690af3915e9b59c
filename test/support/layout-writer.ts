import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** What points at a blob of a layout, as documents of OCI write it. */
export interface Written {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: { readonly os: string; readonly architecture: string };
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface WrittenImage {
  /** Uncompressed tars, the lowest first. */
  readonly layers: readonly Buffer[];
  readonly architecture?: string;
  /** Of its uncompressed layers' digests. */
  readonly algorithm?: 'sha256' | 'sha512';
  /** Of the configuration's `config`. */
  readonly config?: object;
}

export const ociType = (name: string) => `application/vnd.oci.image.${name}.v1+json`;

/** An OCI image layout that a test writes piece by piece: images, indexes above them, tags. */
export class LayoutWriter {
  readonly directory: string;
  readonly #tagged: Written[] = [];

  constructor(directory: string) {
    this.directory = directory;
    mkdirSync(join(directory, 'blobs/sha256'), { recursive: true });
    writeFileSync(join(directory, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  }

  blob(content: string | Buffer, mediaType: string): Written {
    const hex = createHash('sha256').update(content).digest('hex');
    writeFileSync(join(this.directory, 'blobs/sha256', hex), content);
    return { mediaType, digest: `sha256:${hex}`, size: Buffer.byteLength(content) };
  }

  read({ digest }: Written): Buffer {
    return readFileSync(join(this.directory, 'blobs', digest.replace(':', '/')));
  }

  image({
    layers,
    architecture = 'amd64',
    algorithm = 'sha256',
    config = { Cmd: ['/bin/true'] },
  }: WrittenImage): Written {
    const diffIDs = layers.map((tar) => `${algorithm}:${createHash(algorithm).update(tar).digest('hex')}`);
    const platform = { os: 'linux', architecture };
    const rootfs = { type: 'layers', diff_ids: diffIDs };
    const manifest = {
      schemaVersion: 2,
      mediaType: ociType('manifest'),
      config: this.blob(JSON.stringify({ ...platform, config, rootfs }), ociType('config')),
      layers: layers.map((tar) => this.blob(gzipSync(tar), 'application/vnd.oci.image.layer.v1.tar+gzip')),
    };
    return { ...this.blob(JSON.stringify(manifest), manifest.mediaType), platform };
  }

  index(manifests: readonly Written[]): Written {
    const mediaType = ociType('index');
    return this.blob(JSON.stringify({ schemaVersion: 2, mediaType, manifests }), mediaType);
  }

  /** Gives a manifest or index a tag; returns the reference that it has in this layout. */
  tag(root: Written, name: string): string {
    const annotations = { 'org.opencontainers.image.ref.name': name };
    this.#tagged.push({ ...root, annotations });
    const index = { schemaVersion: 2, manifests: this.#tagged };
    writeFileSync(join(this.directory, 'index.json'), JSON.stringify(index));
    return `oci:${this.directory}:${name}`;
  }
}
