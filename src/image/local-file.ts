import { statSync } from 'node:fs';
import { ImageError } from './error.ts';

/**
 * The size of a file that is about to be read. Asked before it is opened: a fifo or device in its place would stop the
 * command. @throws ImageError not-found, bad-layout
 */
export function requireFile(path: string): number {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) throw new ImageError('not-found', `no such file: ${path}`);
  if (!stats.isFile()) throw new ImageError('bad-layout', `not a file: ${path}`);
  return stats.size;
}
