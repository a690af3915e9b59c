import { createHash } from 'node:crypto';
import { createWriteStream, existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { digestFiles } from '../../tools/digest.ts';
import { buildDir, rootDir } from '../../tools/paths.ts';
import { layerTar } from './layers.ts';

/** What all layers of an image are; the second has the first four of them and one of its own. */
const IMAGES = { first: [0, 1, 2, 3, 4], second: [0, 1, 2, 3, 5] } as const;
export type PulledImage = keyof typeof IMAGES;

const TYPE = 'application/vnd.oci.image';
/** What the layout is made by: another recipe is another image. */
const RECIPE = [
  ...['content', 'layers', 'layout'].map((name) => `bench/pulled-image/${name}.ts`),
  ...['tar-archive', 'random'].map((name) => `test/support/${name}.ts`),
];

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

interface Layer {
  readonly descriptor: Descriptor;
  readonly diffID: string;
}

/** The directory of an OCI layout with the images as tags, made at the first call. */
export async function pulledImages(): Promise<string> {
  const directory = join(buildDir, 'bench-images', await digestFiles(rootDir, RECIPE));
  if (existsSync(directory)) return directory;
  const unfinished = `${directory}.${process.pid}`;
  mkdirSync(join(unfinished, 'blobs/sha256'), { recursive: true });
  const layers: Layer[] = [];
  for (const layer of new Set(Object.values(IMAGES).flat())) layers.push(await writeLayer(unfinished, layer));
  const manifests = Object.entries(IMAGES).map(([tag, numbers]) => {
    const own = numbers.flatMap((number) => layers[number] ?? []);
    return { ...writeManifest(unfinished, own), annotations: { 'org.opencontainers.image.ref.name': tag } };
  });
  writeFileSync(join(unfinished, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
  writeFileSync(join(unfinished, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  renameSync(unfinished, directory);
  return directory;
}

async function writeLayer(layout: string, layer: number): Promise<Layer> {
  const [path, diff, blob] = [join(layout, `layer-${layer}`), createHash('sha256'), createHash('sha256')];
  let size = 0;
  await pipeline(
    Readable.from(layerTar(layer), { objectMode: false }),
    observed((chunk) => diff.update(chunk)),
    createGzip(),
    observed((chunk) => {
      blob.update(chunk);
      size += chunk.length;
    }),
    createWriteStream(path),
  );
  const digest = blob.digest('hex');
  renameSync(path, join(layout, 'blobs/sha256', digest));
  return {
    descriptor: { mediaType: `${TYPE}.layer.v1.tar+gzip`, digest: `sha256:${digest}`, size },
    diffID: `sha256:${diff.digest('hex')}`,
  };
}

function observed(observe: (chunk: Buffer) => void) {
  return async function* (source: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
    for await (const chunk of source) {
      observe(chunk);
      yield chunk;
    }
  };
}

function writeManifest(layout: string, layers: readonly Layer[]): Descriptor {
  const config = {
    architecture: 'amd64',
    os: 'linux',
    config: { Cmd: ['/bin/true'] },
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffID }) => diffID) },
  };
  const manifest = {
    schemaVersion: 2,
    mediaType: `${TYPE}.manifest.v1+json`,
    config: writeBlob(layout, JSON.stringify(config), `${TYPE}.config.v1+json`),
    layers: layers.map(({ descriptor }) => descriptor),
  };
  return writeBlob(layout, JSON.stringify(manifest), manifest.mediaType);
}

function writeBlob(layout: string, text: string, mediaType: string): Descriptor {
  const hex = createHash('sha256').update(text).digest('hex');
  writeFileSync(join(layout, 'blobs/sha256', hex), text);
  return { mediaType, digest: `sha256:${hex}`, size: Buffer.byteLength(text) };
}
