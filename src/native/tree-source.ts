import { type ByteString, byteString } from './byte-names.ts';
import { utf8Encode } from './engine.ts';
import { close, open, open_ } from './files.ts';

/** A name in an open directory; `.` for the directory itself. */
class TreeSource {
  constructor(
    readonly directory: number,
    readonly name: ByteString,
  ) {}

  [Symbol.dispose](): void {
    close(this.directory);
  }
}

const DIRECTORY = open_.readOnly | open_.directory;

/**
 * What a path names in this process's root. Links on the way are followed, one at its end is not, unless the path goes on with a
 * slash: then it must lead to a directory. @throws SystemError
 */
export function openSource(path: string): TreeSource {
  const absolute = path.startsWith('/') ? path : `/${path}`;
  const trimmed = absolute.replace(/\/+$/, '');
  const slash = trimmed.lastIndexOf('/');
  const last = trimmed.slice(slash + 1);
  if (trimmed !== absolute || ['', '.', '..'].includes(last))
    return new TreeSource(open(absolute, DIRECTORY), '.');
  return new TreeSource(open(trimmed.slice(0, slash) || '/', DIRECTORY), byteString(utf8Encode(last)));
}
