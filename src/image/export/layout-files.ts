import { createHash } from 'node:crypto';
import { createWriteStream, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import {
  blobPath,
  type Digest,
  indexMediaType,
  layoutFile,
  layoutIndexFile,
  layoutVersion,
  parseDigest,
  tagAnnotation,
  tarLayerMediaType,
} from '../../oci/index.ts';

import { type Bytes, observed } from '../stream.ts';
import { archiveTo } from './tar-program.ts';

export interface Blob {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
}

export interface PackedLayer {
  readonly diffID: Digest;
  readonly blob: Blob;
}

/** An image layout (image-spec 1.1, image-layout.md) that is being made in a directory: blobs may be links to where they lie. */
export class LayoutFiles {
  readonly #workspace: string;
  readonly #directory: string;

  /** `workspace` is a directory of the caller's, which removes it. */
  constructor(workspace: string) {
    this.#workspace = workspace;
    this.#directory = join(workspace, 'layout');
    for (const algorithm of ['sha256', 'sha512'])
      mkdirSync(join(this.#directory, 'blobs', algorithm), { recursive: true });
  }

  link(digest: Digest, file: string): void {
    symlinkSync(file, join(this.#directory, blobPath(digest)));
  }

  write(mediaType: string, text: string): Blob {
    const digest = parseDigest(`sha256:${createHash('sha256').update(text).digest('hex')}`);
    writeFileSync(join(this.#directory, blobPath(digest)), text);
    return { mediaType, digest, size: Buffer.byteLength(text) };
  }

  /** Makes the layer of a tar, one for each layout. */
  async pack(tar: Bytes): Promise<PackedLayer> {
    const file = join(this.#workspace, 'layer');
    const [plain, packed] = [createHash('sha256'), createHash('sha256')];
    let size = 0;
    await pipeline(
      observed(tar, (chunk) => plain.update(chunk)),
      createGzip(),
      (gzip: AsyncIterable<Uint8Array>) =>
        observed(gzip, (chunk) => {
          size += chunk.length;
          packed.update(chunk);
        }),
      createWriteStream(file),
    );
    const digest = parseDigest(`sha256:${packed.digest('hex')}`);
    this.link(digest, file);
    return {
      diffID: parseDigest(`sha256:${plain.digest('hex')}`),
      blob: { mediaType: `${tarLayerMediaType}+gzip`, digest, size },
    };
  }

  /** The layout with this one image, as a tar. */
  async archive(path: string, manifest: Blob, tag: string, signal: AbortSignal | undefined): Promise<void> {
    const entry = { ...manifest, annotations: { [tagAnnotation]: tag } };
    this.#document(layoutIndexFile, { schemaVersion: 2, mediaType: indexMediaType, manifests: [entry] });
    this.#document(layoutFile, { imageLayoutVersion: layoutVersion });
    await archiveTo(path, this.#directory, [layoutFile, layoutIndexFile, 'blobs'], { follow: true, signal });
  }

  #document(name: string, value: object): void {
    writeFileSync(join(this.#directory, name), JSON.stringify(value));
  }
}
