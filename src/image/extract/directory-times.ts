import { fstatSync } from 'node:fs';
import { type Descriptor, tryOpenBeneath } from '../../os/descriptor.ts';
import { changeTimes } from '../../os/file-attributes.ts';
import { type ByteString, fromByteString, type Timestamp } from '../tar/index.ts';
import type { Segments } from './path.ts';
import { timeOf } from './timestamp.ts';

/** Remembered at once: memory is not to grow with the number of an image's directories. */
const MOST = 16_384;

interface Noted {
  readonly inode: bigint;
  readonly time: Timestamp;
}

/** Directories' modification times, set when nothing will be written to them any more, as far as that can be told. */
export class DirectoryTimes {
  readonly #root: Descriptor;
  readonly #most: number;
  readonly #times = new Map<ByteString, Noted>();

  constructor(root: Descriptor, most = MOST) {
    this.#root = root;
    this.#most = most;
  }

  /** `path` has no links in it. */
  note(path: Segments, directory: Descriptor, time: Timestamp): void {
    this.#note(path.join('/'), { inode: fstatSync(directory.fd, { bigint: true }).ino, time });
  }

  /** To be called before something in a directory changes. One whose time was set, and forgotten to make room, gets it again. */
  hold(path: Segments, directory: Descriptor): void {
    const key = path.join('/');
    if (this.#times.has(key)) return;
    const stats = fstatSync(directory.fd, { bigint: true });
    this.#note(key, { inode: stats.ino, time: timeOf(stats) });
  }

  apply(): void {
    for (const [path, noted] of this.#times) this.#apply(path, noted);
  }

  #note(path: ByteString, noted: Noted): void {
    this.#times.delete(path);
    if (this.#times.size >= this.#most) this.#forgetOldest();
    this.#times.set(path, noted);
  }

  #forgetOldest(): void {
    for (const [path, noted] of this.#times) {
      this.#times.delete(path);
      this.#apply(path, noted);
      return;
    }
  }

  /** A directory replaced since by something else is passed over. */
  #apply(path: ByteString, { inode, time }: Noted): void {
    const opened = tryOpenBeneath(this.#root, path === '' ? '.' : fromByteString(path));
    if (typeof opened === 'number') return;
    using directory = opened;
    if (fstatSync(directory.fd, { bigint: true }).ino === inode) changeTimes(directory, time);
  }
}
