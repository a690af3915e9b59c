import { stat } from '../../native/stat.ts';

/** What tells a namespace from all others while it exists. In decimal digits. */
export function namespaceInode(path: string): string {
  return String(stat(path).inode);
}
