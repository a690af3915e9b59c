import { fstatSync } from 'node:fs';
import { type Descriptor, tryOpenBeneath } from '../../os/descriptor.ts';
import { changeTimes } from '../../os/file-attributes.ts';
import { type ByteString, fromByteString, type Timestamp } from '../tar/index.ts';
import type { Segments } from './path.ts';

/** Directories' modification times, set when nothing will be written to them any more. */
export class DirectoryTimes {
  readonly #times = new Map<ByteString, { readonly inode: bigint; readonly time: Timestamp }>();

  note(path: Segments, directory: Descriptor, time: Timestamp): void {
    this.#times.set(path.join('/'), { inode: inodeOf(directory), time });
  }

  /** Directories replaced since by something else are passed over. */
  apply(root: Descriptor): void {
    for (const [path, { inode, time }] of this.#times) {
      const opened = tryOpenBeneath(root, path === '' ? '.' : fromByteString(path));
      if (typeof opened === 'number') continue;
      using directory = opened;
      if (inodeOf(directory) === inode) changeTimes(directory, time);
    }
  }
}

function inodeOf(directory: Descriptor): bigint {
  return fstatSync(directory.fd, { bigint: true }).ino;
}
