/** The user database of an app's root, read without following anything out of it. */
import type { IdRange } from '../../abi/id-range.ts';
import { readToEnd } from '../../native/contents.ts';
import { utf8Decode } from '../../native/engine.ts';
import { unless } from '../../native/errors.ts';
import { File, open_, openInRoot } from '../../native/files.ts';
import { fstat } from '../../native/stat.ts';
import type { UserDatabase } from './users.ts';

/** Images with more users than that are not believed. */
const MOST_BYTES = 4 * 1024 * 1024;
const NO_FILE = ['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES', 'ENXIO'];

/** `ids`: those of a pod's own users, which the root shows in place of the image's. */
export function imageUsers(rootfs: string, ids: IdRange | null = null): UserDatabase {
  const read = (path: string): string => readInRoot(rootfs, path);
  return {
    get passwd() {
      return read('/etc/passwd');
    },
    get group() {
      return read('/etc/group');
    },
    owner(path) {
      using root = File.open(rootfs, open_.path | open_.directory);
      const fd = unless(NO_FILE, () => openInRoot(root.fd, path, open_.path));
      if (fd === undefined) return undefined;
      using file = new File(fd);
      const { uid, gid } = fstat(file.fd);
      return { uid: inImage(uid, ids), gid: inImage(gid, ids) };
    },
  };
}

function inImage(id: number, ids: IdRange | null): number {
  return ids !== null && id >= ids.first && id < ids.first + ids.count ? id - ids.first : id;
}

/** Opened without blocking: the image may have a pipe by that name. */
function readInRoot(rootfs: string, path: string): string {
  using root = File.open(rootfs, open_.path | open_.directory);
  const fd = unless(NO_FILE, () => openInRoot(root.fd, path, open_.readOnly | open_.nonBlocking));
  if (fd === undefined) return '';
  using file = new File(fd);
  if (fstat(file.fd).kind !== 'file') return '';
  return utf8Decode(readToEnd(file.fd, MOST_BYTES) ?? new Uint8Array(0));
}
