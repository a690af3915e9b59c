import { readdir } from '../../native/directories.ts';
import { unless } from '../../native/errors.ts';
import { networkNamespaceId } from '../../native/network-namespace.ts';
import { stat } from '../../native/stat.ts';

const NAMED = '/run/netns';
const UNSEEN = ['ENOENT', 'ENOTDIR', 'ESRCH', 'EACCES'];

/** Who has the network namespace of this id: a process or a name; undefined where it seems to have gone. */
export function findNamespace(id: string): string | undefined {
  const process = names('/proc')
    .filter((name) => /^\d+$/.test(name))
    .find((pid) => isSame(`/proc/${pid}/ns/net`, id));
  if (process !== undefined) return `process ${process}`;
  const name = names(NAMED).find((one) => isSame(`${NAMED}/${one}`, id));
  return name === undefined ? undefined : `${NAMED}/${name}`;
}

function names(directory: string): string[] {
  return unless(UNSEEN, () => readdir(directory)) ?? [];
}

function isSame(path: string, id: string): boolean {
  const [inode] = id.split('.');
  // Few are worth a closer look, for which the namespace is entered.
  return unless(UNSEEN, () => String(stat(path).inode) === inode && networkNamespaceId(path) === id) === true;
}
