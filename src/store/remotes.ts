import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { FieldReader } from '../abi/json.ts';
import { type ImageID, parseImageID } from '../appc/index.ts';
import { replaceFile } from '../os/durable.ts';
import { readSharedFile } from '../os/shared-file.ts';
import { removeAny } from '../os/tree.ts';
import { sweepNotes } from './notes.ts';

/** Which image an address was when it was last asked, and what its server said of how long that holds. */
export interface RemoteNote {
  readonly id: ImageID;
  /** Whether its signature was verified. */
  readonly isVerified: boolean;
  /** Milliseconds since 1970. */
  readonly fetchedAt: number;
  /** As the server sent it, quotes included. */
  readonly etag?: string;
  /** Seconds from `fetchedAt` on. */
  readonly maxAge?: number;
  /** Of a registry: the digest of the manifest that the name led to. */
  readonly digest?: string;
}

const MODE = 0o660;

/** Notes by canonical reference. A cache: a note that is missing or damaged costs a request, no more. */
export class RemoteNotes {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  find(reference: string): RemoteNote | undefined {
    const note = readNote(this.#path(reference));
    return note?.reference === reference ? note : undefined;
  }

  /** One writer at a time: the caller has the lock of this reference. */
  note(reference: string, note: RemoteNote): void {
    const path = this.#path(reference);
    // What is there and is no note may be a directory, which no file can replace.
    if (readNote(path) === undefined) removeAny(path);
    replaceFile(path, `${JSON.stringify({ reference, ...note })}\n`, MODE);
  }

  /** Removes notes on images that are gone, and those that cannot be read. */
  sweep(isGone: (id: ImageID) => boolean): void {
    sweepNotes(this.#directory, readNote, isGone);
  }

  #path(reference: string): string {
    return join(this.#directory, createHash('sha256').update(reference).digest('hex'));
  }
}

function readNote(path: string): (RemoteNote & { readonly reference: string }) | undefined {
  try {
    const note = new FieldReader(JSON.parse(readSharedFile(path) ?? ''), 'note');
    return {
      reference: note.text('reference'),
      id: parseImageID(note.text('id')),
      isVerified: note.boolean('isVerified'),
      fetchedAt: note.integer('fetchedAt', 0, Number.MAX_SAFE_INTEGER),
      ...(note.has('etag') ? { etag: note.text('etag') } : {}),
      ...(note.has('maxAge') ? { maxAge: note.integer('maxAge', 0, Number.MAX_SAFE_INTEGER) } : {}),
      ...(note.has('digest') ? { digest: note.text('digest') } : {}),
    };
  } catch {
    return undefined; // missing or damaged
  }
}
