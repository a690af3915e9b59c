import { join } from 'node:path';
import { type Digest, digestHex } from '../oci/index.ts';
import { readSharedFile } from '../os/shared-file.ts';
import { isSystemError } from '../os/syscall.ts';

/** The file beside a layer's root that says what it is. */
export const LAYER_NOTE = 'digest';

// A page of mount options must hold the names of an image's layers; the whole digest is in the note.
const LAYER_NAME_DIGITS = 24;

export interface LayerNote {
  readonly digest: string;
  /** Bytes of its files. */
  readonly size: number;
}

export function layerName(digest: Digest): string {
  return digestHex(digest).slice(0, LAYER_NAME_DIGITS);
}

/** Undefined where there is no layer of this name, and for whom layers are not: only root may look at them. */
export function readLayerNote(layerDirectory: string, name: string): LayerNote | undefined {
  const text = readText(join(layerDirectory, name, LAYER_NOTE));
  if (text === undefined) return undefined;
  const [digest = '', size] = text.split('\n');
  return { digest, size: Number(size) };
}

function readText(path: string): string | undefined {
  try {
    return readSharedFile(path);
  } catch (error) {
    if (isSystemError(error, 'EACCES')) return undefined;
    throw error;
  }
}
