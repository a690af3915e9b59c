import { lstatSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { type Digest, digestAlgorithm, digestHex, parseDigest } from '../oci/index.ts';
import { syncDirectory } from '../os/durable.ts';
import { removeAny } from '../os/tree.ts';
import { BLOB_ALGORITHMS, type StorePaths } from './layout.ts';
import { namesIn } from './names.ts';

/** Content by its digest, as it was fetched. A blob has its name only when all of it is there and is what the digest says. */
export class Blobs {
  readonly #paths: Pick<StorePaths, 'blob' | 'partial'>;

  constructor(paths: Pick<StorePaths, 'blob' | 'partial'>) {
    this.#paths = paths;
  }

  path(digest: Digest): string {
    return join(this.#paths.blob, digestAlgorithm(digest), digestHex(digest));
  }

  /** Bytes of a blob; undefined where the store has none of this digest. */
  size(digest: Digest): number | undefined {
    const stats = lstatSync(this.path(digest), { throwIfNoEntry: false });
    return stats?.isFile() === true ? stats.size : undefined;
  }

  /** For what is there while something is fetched. */
  get partialDirectory(): string {
    return this.#paths.partial;
  }

  /** Where the blob of this name grows; `name` is a digest's or an address's, and safe as a file name. */
  partialPath(name: string): string {
    return join(this.#paths.partial, name);
  }

  /** Gives what is complete and on the disk at `path` the name of its digest. */
  keep(path: string, digest: Digest): void {
    const directory = join(this.#paths.blob, digestAlgorithm(digest));
    // What is there and is no blob may be a directory, which no file can replace.
    if (this.size(digest) === undefined) this.remove(digest);
    renameSync(path, this.path(digest));
    syncDirectory(directory);
  }

  remove(digest: Digest): void {
    removeAny(this.path(digest));
  }

  /** All that have a digest for a name; other files are nobody's business. */
  list(): Digest[] {
    return BLOB_ALGORITHMS.flatMap((algorithm) =>
      namesIn(join(this.#paths.blob, algorithm)).flatMap((hex) => digestOf(`${algorithm}:${hex}`)),
    );
  }

  /** Names and ages of what is there in part; milliseconds since it was last written to. */
  partials(): ReadonlyArray<{ readonly name: string; readonly age: number }> {
    return namesIn(this.#paths.partial).flatMap((name) => {
      const stats = lstatSync(this.partialPath(name), { throwIfNoEntry: false });
      return stats === undefined ? [] : [{ name, age: Date.now() - stats.mtimeMs }];
    });
  }
}

function digestOf(text: string): Digest[] {
  try {
    return [parseDigest(text)];
  } catch {
    return []; // not one of ours
  }
}
