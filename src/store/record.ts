import { FieldReader } from '../abi/json.ts';
import {
  formatImageManifest,
  type ImageID,
  type ImageManifest,
  parseImageID,
  readImageManifest,
} from '../appc/index.ts';
import { type Digest, mostLayers, parseDigest } from '../oci/index.ts';
import { StoreError } from './error.ts';

/** What the store knows of an image: everything to run it but the files of its layers. */
export interface ImageRecord {
  readonly id: ImageID;
  readonly manifest: ImageManifest;
  /** What it is made of, the lowest first; of an ACI its dependencies' archives before its own. */
  readonly contents: readonly Archive[];
  /** What OCI and Docker say of it, as it was fetched: digests of blobs. */
  readonly documents?: { readonly manifest: Digest; readonly config: Digest };
  /** The digests that its layers are kept under, the lowest first. Empty as long as its archives have not been extracted. */
  readonly layers: readonly Digest[];
  /** Bytes of its archives as fetched and, once extracted, of its files. */
  readonly size: number;
  /** Where it came from, as the user wrote it. */
  readonly source: string;
  /** Milliseconds since 1970. */
  readonly importTime: number;
  readonly lastUsed: number;
  /**
   * Whether the operator has given it as a stage1, whose programs run as root of the host. Never what the image says of
   * itself: any image can take any name and carry a stage1's annotations.
   */
  readonly isStage1: boolean;
}

/** A tar, or a tar compressed, that a layer is extracted from. */
export interface Archive {
  readonly form: 'aci' | 'oci';
  /** Of the blob, as it was fetched. */
  readonly blob: Digest;
  /** Of the uncompressed tar. */
  readonly diffID: Digest;
  /** Path whitelists that apply to it, of the image itself and of those that depend on it (appc aci.md, "pathWhitelist"). */
  readonly whitelists: readonly Whitelist[];
}

export interface Whitelist {
  /** An image's own whitelist spares the directories of its own archive. */
  readonly isOwn: boolean;
  readonly paths: readonly string[];
}

/** What an import knows of an image. */
export type ImportedImage = Omit<ImageRecord, 'importTime' | 'lastUsed' | 'isStage1'>;

const VERSION = 2;
const MOST_CHARACTERS = 64 * 1024 * 1024;
const MOST_WHITELISTS = 64;
const MOST_PATHS = 1_000_000;

/** The record as it is kept. `lastUsed` is the file's modification time: using an image rewrites nothing. */
export function formatRecord(image: ImportedImage & Pick<ImageRecord, 'importTime'>): string {
  const { id, manifest, contents, documents, layers, size, source, importTime } = image;
  const fields = {
    version: VERSION,
    id,
    name: displayName(manifest),
    size,
    importTime,
    source,
    layers,
    ...(documents === undefined ? {} : { documents }),
    contents,
    manifest: formatImageManifest(manifest),
  };
  return `${JSON.stringify(fields)}\n`;
}

/** What a list of images shows, read without a look at manifests. */
export interface ImageSummary {
  readonly id: ImageID;
  /** `NAME[:VERSION]` */
  readonly name: string;
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly importTime: number;
  readonly lastUsed: number;
}

/** @throws StoreError bad-record */
export function parseSummary(text: string, path: string, lastUsed: number): ImageSummary {
  return reading(path, () => {
    const record = recordReader(text);
    return {
      id: parseImageID(record.text('id')),
      name: record.text('name'),
      size: record.integer('size', 0, Number.MAX_SAFE_INTEGER),
      importTime: record.integer('importTime', 0, Number.MAX_SAFE_INTEGER),
      lastUsed,
    };
  });
}

/** @throws StoreError bad-record */
export function parseRecord(text: string, path: string, lastUsed: number): Omit<ImageRecord, 'isStage1'> {
  return reading(path, () => {
    const record = recordReader(text);
    return {
      id: parseImageID(record.text('id')),
      manifest: readImageManifest(record.string('manifest', MOST_CHARACTERS)),
      contents: record.list('contents', mostLayers, (value, where) =>
        parseArchive(new FieldReader(value, where)),
      ),
      ...documentsOf(record),
      layers: record.texts('layers', mostLayers).map(parseDigest),
      size: record.integer('size', 0, Number.MAX_SAFE_INTEGER),
      source: record.text('source'),
      importTime: record.integer('importTime', 0, Number.MAX_SAFE_INTEGER),
      lastUsed,
    };
  });
}

function reading<T>(path: string, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw new StoreError('bad-record', `image record ${path} cannot be read: ${problem}`, { cause });
  }
}

function recordReader(text: string): FieldReader {
  const record = new FieldReader(JSON.parse(text), 'record');
  record.integer('version', VERSION, VERSION);
  return record;
}

function parseArchive(archive: FieldReader): Archive {
  return {
    form: archive.word('form', ['aci', 'oci'] as const),
    blob: parseDigest(archive.text('blob')),
    diffID: parseDigest(archive.text('diffID')),
    whitelists: archive.list('whitelists', MOST_WHITELISTS, (value, where) => {
      const whitelist = new FieldReader(value, where);
      return { isOwn: whitelist.boolean('isOwn'), paths: whitelist.texts('paths', MOST_PATHS) };
    }),
  };
}

function documentsOf(record: FieldReader): Pick<ImageRecord, 'documents'> {
  if (!record.has('documents')) return {};
  const documents = record.object('documents');
  const digest = (name: string) => parseDigest(documents.text(name));
  return { documents: { manifest: digest('manifest'), config: digest('config') } };
}

function displayName({ name, labels }: ImageManifest): string {
  const version = labels.find((label) => label.name === 'version')?.value;
  return version === undefined ? name : `${name}:${version}`;
}
