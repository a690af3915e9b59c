import { readdir } from '../../native/directories.ts';
import { unless } from '../../native/errors.ts';
import { namespaceInode } from './namespace-inode.ts';

const NAMED = '/run/netns';
const UNSEEN = ['ENOENT', 'ENOTDIR', 'ESRCH', 'EACCES'];

/** Who has the network namespace of this number: a process or a name; undefined where it seems to have gone. */
export function findNamespace(inode: string): string | undefined {
  const process = names('/proc')
    .filter((name) => /^\d+$/.test(name))
    .find((pid) => isSame(`/proc/${pid}/ns/net`, inode));
  if (process !== undefined) return `process ${process}`;
  const name = names(NAMED).find((one) => isSame(`${NAMED}/${one}`, inode));
  return name === undefined ? undefined : `${NAMED}/${name}`;
}

function names(directory: string): string[] {
  return unless(UNSEEN, () => readdir(directory)) ?? [];
}

function isSame(path: string, inode: string): boolean {
  return unless(UNSEEN, () => namespaceInode(path)) === inode;
}
