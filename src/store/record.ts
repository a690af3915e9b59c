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
  /** The digests that its layers are kept under, the lowest first. */
  readonly layers: readonly Digest[];
  /** Bytes of its files, uncompressed. */
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

/** What an import knows of an image. */
export type ImportedImage = Omit<ImageRecord, 'lastUsed' | 'isStage1'>;

const VERSION = 1;
const MOST_CHARACTERS = 64 * 1024 * 1024;

/** The record as it is kept. `lastUsed` is the file's modification time: using an image rewrites nothing. */
export function formatRecord(record: Omit<ImageRecord, 'lastUsed'>): string {
  const { id, manifest, layers, size, source, importTime, isStage1 } = record;
  const fields = {
    version: VERSION,
    id,
    layers,
    size,
    source,
    importTime,
    ...(isStage1 ? { isStage1 } : {}),
    manifest: formatImageManifest(manifest),
  };
  return `${JSON.stringify(fields)}\n`;
}

/** @throws StoreError bad-record */
export function parseRecord(text: string, path: string, lastUsed: number): ImageRecord {
  try {
    const record = new FieldReader(JSON.parse(text), 'record');
    record.integer('version', VERSION, VERSION);
    return {
      id: parseImageID(record.text('id')),
      manifest: readImageManifest(record.string('manifest', MOST_CHARACTERS)),
      layers: record.texts('layers', mostLayers).map(parseDigest),
      size: record.integer('size', 0, Number.MAX_SAFE_INTEGER),
      source: record.text('source'),
      importTime: record.integer('importTime', 0, Number.MAX_SAFE_INTEGER),
      lastUsed,
      isStage1: record.has('isStage1') && record.boolean('isStage1'),
    };
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw new StoreError('bad-record', `image record ${path} cannot be read: ${problem}`, { cause });
  }
}
