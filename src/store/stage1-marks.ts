import { createHash } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { formatImageManifest, type ImageID } from '../appc/index.ts';
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

  remove(id: ImageID): void {
    try {
      rmSync(this.#path({ id }), { force: true });
    } catch (error) {
      // Who may not make a mark may not take it away: it holds for what the image is made of, and for nothing else.
      if (!isSystemError(error, 'EACCES', 'EPERM')) throw error;
    }
  }

  #path({ id }: Pick<ImportedImage, 'id'>): string {
    return join(this.#directory, id);
  }
}

function contentOf({ manifest, contents, layers }: ImportedImage): string {
  const text = JSON.stringify([formatImageManifest(manifest), contents, layers]);
  return `${createHash('sha256').update(text).digest('hex')}\n`;
}
