import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import type { Refuse } from '../appc/json.ts';
import { parseJsonText } from '../appc/json-document.ts';
import {
  blobPath,
  type Descriptor,
  entriesTagged,
  indexMediaType,
  largestManifest,
  layoutFile,
  layoutIndexFile,
  parseDigest,
  parseIndex,
  requireLayout,
} from '../oci/index.ts';
import { manifestLimits } from '../oci/limits.ts';
import { ImageError } from './error.ts';
import { requireFile } from './local-file.ts';
import type { OciSource, OciText } from './source.ts';
import type { Bytes } from './stream.ts';

/** A file of an image layout: its size as found, and its bytes from an offset on. */
export interface LayoutFile {
  readonly size: number;
  read(offset: number): Bytes;
}

/** An OCI image layout, as a directory or in an archive. */
export interface Layout extends Disposable {
  /** @throws ImageError not-found, naming the path */
  open(path: string): LayoutFile;
}

const READ_SIZE = 1024 * 1024;

export function openLayoutDirectory(directory: string): Layout {
  const open = (path: string): LayoutFile => {
    const file = join(directory, path);
    return { size: requireFile(file), read: (start) => readWhenWanted(file, start) };
  };
  return { open, [Symbol.dispose]: () => undefined };
}

async function* readWhenWanted(path: string, start: number): AsyncGenerator<Uint8Array, void, undefined> {
  yield* createReadStream(path, { highWaterMark: READ_SIZE, start });
}

/** The images of a layout that a tag stands for; without a tag there must be one only. */
export function layoutSource(layout: Layout, tag: string | undefined): OciSource {
  return {
    root: () => rootOf(layout, tag),
    document: (descriptor) => readText(layout.open(blobPath(descriptor.digest)), descriptor.digest),
    blob: ({ digest }) => ({
      isLocal: true,
      open: async (offset) => {
        const file = layout.open(blobPath(digest));
        return { bytes: file.read(offset), offset, total: file.size };
      },
    }),
  };
}

/** The layout's index, cut down to the tag. */
async function rootOf(layout: Layout, tag: string | undefined): Promise<OciText> {
  requireLayout(parseJson(layoutFile, await readText(layout.open(layoutFile), layoutFile)));
  const index = parseJson(layoutIndexFile, await readText(layout.open(layoutIndexFile), layoutIndexFile));
  const { manifests } = entriesTagged(parseIndex(index), tag);
  const text = indexText(manifests);
  const digest = parseDigest(`sha256:${createHash('sha256').update(text).digest('hex')}`);
  return { text, mediaType: indexMediaType, digest };
}

function indexText(manifests: readonly Descriptor[]): string {
  return JSON.stringify({ schemaVersion: 2, mediaType: indexMediaType, manifests });
}

export async function readText(file: LayoutFile, name: string, limit = largestManifest): Promise<string> {
  if (file.size > limit)
    throw new ImageError('too-large', `${name} has ${file.size} bytes, at most ${limit} are allowed`);
  const chunks: Uint8Array[] = [];
  for await (const chunk of file.read(0)) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(name: string, text: string): unknown {
  const refuse: Refuse = (_code, _path, problem, cause) =>
    new ImageError('bad-layout', `${name}: ${problem}`, { cause });
  return parseJsonText(text, refuse, manifestLimits);
}
