import { ImageError } from '../error.ts';
import { type ByteString, showBytes } from '../tar/index.ts';

/** A path's components below the target; empty for the target itself. None is empty, `.` or `..`. */
export type Segments = readonly ByteString[];

/** Bounds the descriptors held while a tree is walked or removed. */
export const MAX_DEPTH = 256;
const MAX_NAME = 255;

/**
 * Cuts an entry's or a hard link's path into components. Absolute paths and `..` are refused rather than bent to the target:
 * programs disagree on what they mean, and no tool that archives a tree writes them. @throws ImageError hostile-entry
 */
export function parsePath(path: ByteString): Segments {
  const segments = path.split('/').filter((segment) => segment !== '' && segment !== '.');
  if (path === '') throw hostile(path, 'is empty');
  if (path.startsWith('/') && segments.length > 0) throw hostile(path, 'is absolute');
  if (segments.includes('..')) throw hostile(path, 'contains ..');
  if (path.includes('\0')) throw hostile(path, 'contains a NUL byte');
  if (segments.length > MAX_DEPTH) throw hostile(path, `is deeper than ${MAX_DEPTH} directories`);
  if (segments.some((segment) => segment.length > MAX_NAME))
    throw hostile(path, `has a name longer than ${MAX_NAME} bytes`);
  return segments;
}

export function hostile(path: ByteString, problem: string): ImageError {
  return new ImageError('hostile-entry', `path ${showBytes(path)} ${problem}`);
}
