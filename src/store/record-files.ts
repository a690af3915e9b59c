import { lstatSync, lutimesSync } from 'node:fs';
import { join } from 'node:path';
import { type ImageID, parseImageID } from '../appc/index.ts';
import { replaceFile, syncDirectory } from '../os/durable.ts';
import { readSharedFile } from '../os/shared-file.ts';
import { isSystemError } from '../os/syscall.ts';
import { removeAny } from '../os/tree.ts';
import { StoreError } from './error.ts';
import { namesIn } from './names.ts';
import { type ImageRecord, type ImageSummary, parseRecord, parseSummary } from './record.ts';

/** `sha512-` and 64 digits: of a longer id the beginning counts. */
export const FULL_ID = 'sha512-'.length + 64;
const SUFFIX = '.json';
/** What else lies among them is nobody's business. */
const RECORD = /^sha(?:256|512)-[0-9a-f]{64}\.json$/;
const MODE = 0o660;

type StoredRecord = Omit<ImageRecord, 'isStage1'>;

/** What is known of each image, a file each. Members of the group may write to their directory, so anything may lie there. */
export class RecordFiles {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** The ids of all images, in the order of their names. */
  list(): ImageID[] {
    const names = namesIn(this.#directory).filter((name) => RECORD.test(name));
    return names.sort().map((name) => parseImageID(name.slice(0, -SUFFIX.length)));
  }

  has(id: ImageID): boolean {
    return this.#stats(id) !== undefined;
  }

  /** @throws StoreError bad-record */
  find(id: ImageID): StoredRecord | undefined {
    const record = this.#read(id, parseRecord);
    // Otherwise who asks for one image, as a stage1 perhaps, would be given another that is as good by itself.
    if (record !== undefined && record.id.slice(0, FULL_ID) !== id.slice(0, FULL_ID))
      throw new StoreError('bad-record', `image record ${this.#path(id)} is of another image: ${record.id}`);
    return record;
  }

  /** The same of what can be read. */
  findReadable(id: ImageID): StoredRecord | undefined {
    return unlessUnreadable(() => this.find(id));
  }

  /** @throws StoreError bad-record */
  summary(id: ImageID): ImageSummary | undefined {
    return this.#read(id, parseSummary);
  }

  /** Writes a record, of which `format` is told when the image came first, unless that is what is there. One writer at a time. */
  put(id: ImageID, format: (importTime: number) => string): { importTime: number; lastUsed: number } {
    const known = this.#known(id);
    // What is there and is no record may be a directory, which no file can replace.
    if (known === undefined) removeAny(this.#path(id));
    const importTime = known?.importTime ?? Date.now();
    const text = format(importTime);
    if (known?.text === text) this.touch(id);
    else replaceFile(this.#path(id), text, MODE);
    return { importTime, lastUsed: this.#stats(id)?.mtimeMs ?? importTime };
  }

  /** Notes that an image is being used now. */
  touch(id: ImageID): void {
    const now = new Date();
    try {
      lutimesSync(this.#path(id), now, now);
    } catch (error) {
      // A member of the group may use what root has fetched; only its owner may set a file's time. And somebody may have removed
      // the image meanwhile: whoever uses it has pinned what it is made of.
      if (!isSystemError(error, 'EPERM', 'EACCES', 'ENOENT')) throw error;
    }
  }

  remove(id: ImageID): void {
    removeAny(this.#path(id));
    syncDirectory(this.#directory);
  }

  #known(id: ImageID): { readonly text: string; readonly importTime: number } | undefined {
    return unlessUnreadable(() =>
      this.#read(id, (text, path) => ({ text, importTime: parseSummary(text, path, 0).importTime })),
    );
  }

  #read<T>(id: ImageID, parse: (text: string, path: string, lastUsed: number) => T): T | undefined {
    const text = readText(this.#path(id));
    const stats = this.#stats(id);
    return text === undefined || stats === undefined ? undefined : parse(text, this.#path(id), stats.mtimeMs);
  }

  #stats(id: ImageID) {
    return lstatSync(this.#path(id), { throwIfNoEntry: false });
  }

  #path(id: ImageID): string {
    return join(this.#directory, `${id.slice(0, FULL_ID)}${SUFFIX}`);
  }
}

/** The lock of whoever writes the record of this name: its image's. Undefined for what is none. */
export function recordLock(name: string): string | undefined {
  return RECORD.test(name) ? name.slice(0, -SUFFIX.length) : undefined;
}

// A record that cannot be read says nothing, and is about to be replaced.
function unlessUnreadable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof StoreError && error.code === 'bad-record') return undefined;
    throw error;
  }
}

function readText(path: string): string | undefined {
  try {
    return readSharedFile(path);
  } catch (cause) {
    if (!isSystemError(cause, 'ELOOP', 'EFBIG')) throw cause;
    throw new StoreError('bad-record', `image record ${path} cannot be read`, { cause });
  }
}
