import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatImageManifest } from '../appc/index.ts';
import { replaceFile } from '../os/durable.ts';
import { isSystemError } from '../os/syscall.ts';
import type { ImportedImage } from './record.ts';

const MODE = 0o600;

/**
 * What the operator has given as a stage1. Records can be written by the group `rkt`; a mark can be made by root alone, and holds
 * for one content only.
 */
export class Stage1Marks {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  has(image: ImportedImage): boolean {
    try {
      return readFileSync(this.#path(image), 'utf8') === contentOf(image);
    } catch (error) {
      // Who may not look has no use for a stage1 either.
      if (isSystemError(error, 'ENOENT', 'EACCES')) return false;
      throw error;
    }
  }

  set(image: ImportedImage): void {
    replaceFile(this.#path(image), contentOf(image), MODE);
  }

  #path({ id }: ImportedImage): string {
    return join(this.#directory, id);
  }
}

function contentOf({ manifest, contents, layers }: ImportedImage): string {
  const text = JSON.stringify([formatImageManifest(manifest), contents, layers]);
  return `${createHash('sha256').update(text).digest('hex')}\n`;
}
