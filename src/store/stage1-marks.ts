import { lstatSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { formatImageManifest, type ImageID } from '../appc/index.ts';
import { replaceFile } from '../os/durable.ts';
import { readSharedFile } from '../os/shared-file.ts';
import { isSystemError } from '../os/syscall.ts';
import type { ImportedImage } from './record.ts';

const MODE = 0o600;

/**
 * What the operator has given as a stage1, and by which references. Records can be written by the group `rkt`, and what is remembered
 * of addresses, too; a mark can be made by root alone, and holds for one content only.
 */
export class Stage1Marks {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  has(image: ImportedImage): boolean {
    return this.references(image).length > 0;
  }

  /** The canonical references that an image of this content was given by. */
  references(image: ImportedImage): readonly string[] {
    const [content, ...references] = this.#read(image)?.trimEnd().split('\n') ?? [];
    return content !== undefined && content === contentOf(image) ? references : [];
  }

  /** One writer at a time: the caller has the lock of this image. */
  add(image: ImportedImage, reference: string): void {
    const known = this.references(image);
    if (known.includes(reference)) return;
    replaceFile(this.#path(image), `${[contentOf(image), ...known, reference].join('\n')}\n`, MODE);
  }

  /** When the operator gave it last as something new, in milliseconds since 1970; 0 for what is no stage1. */
  time(image: ImportedImage): number {
    const stats = this.has(image) ? lstatSync(this.#path(image), { throwIfNoEntry: false }) : undefined;
    return stats?.mtimeMs ?? 0;
  }

  remove(id: ImageID): void {
    try {
      rmSync(this.#path({ id }), { force: true });
    } catch (error) {
      // Who may not make a mark may not take it away: it holds for what the image is made of, and for nothing else.
      if (!isSystemError(error, 'EACCES', 'EPERM')) throw error;
    }
  }

  #read(image: ImportedImage): string | undefined {
    try {
      return readSharedFile(this.#path(image));
    } catch (error) {
      // Who may not look has no use for a stage1 either.
      if (isSystemError(error, 'EACCES')) return undefined;
      throw error;
    }
  }

  #path({ id }: Pick<ImportedImage, 'id'>): string {
    return join(this.#directory, id);
  }
}

function contentOf({ manifest, contents, layers }: ImportedImage): string {
  return JSON.stringify([formatImageManifest(manifest), contents, layers]);
}
