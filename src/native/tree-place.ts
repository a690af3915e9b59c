/** Where a copied tree goes: what `cp` and its kin have always made of a path that may be there or not. */
import { type ByteString, byteString } from './byte-names.ts';
import { utf8Encode } from './engine.ts';
import { SystemError, unless } from './errors.ts';
import { close, open, open_ } from './files.ts';
import { readlink } from './paths.ts';
import { statIfPresent } from './stat.ts';
import { type TreeEntry, TreeError } from './tree-archive.ts';

const ENOENT = 2;
const DIRECTORY = open_.readOnly | open_.directory;

class TreePlace {
  readonly #name: ByteString | null;
  readonly #prefix: readonly ByteString[];

  /** `prefix` takes the place of the archive's own top name. */
  constructor(
    readonly directory: number,
    name: ByteString | null,
    prefix: readonly ByteString[],
  ) {
    this.#name = name;
    this.#prefix = prefix;
  }

  /** An archive's path as names below `directory`; none for the directory itself. @throws TreeError */
  locate(path: ByteString): readonly ByteString[] {
    const names = path.split('/').filter((name) => name !== '' && name !== '.');
    if (names.includes('..'))
      throw new TreeError('bad-path', `the archive has the path ${JSON.stringify(path)}`);
    if (this.#name === null || this.#name === '') return [...this.#prefix, ...names];
    if (names[0] !== this.#name)
      throw new TreeError('bad-path', `the archive has the path ${JSON.stringify(path)}`);
    return [...this.#prefix, ...names.slice(1)];
  }

  [Symbol.dispose](): void {
    close(this.directory);
  }
}

/**
 * A directory that is there takes what is copied; what is not there becomes it; a file that is there is replaced by a file. Links in
 * `path` itself are followed. @throws SystemError, TreeError
 */
export function placeTree(path: string, name: ByteString | null, first: TreeEntry | undefined): TreePlace {
  const isDirectory = first?.kind === 'directory';
  const there = statIfPresent(path)?.kind;
  if (there === 'directory')
    return new TreePlace(open(path, DIRECTORY), name, name === null || name === '' ? [] : [name]);
  if (name === null || (path.endsWith('/') && !isDirectory))
    throw new TreeError('bad-place', `no such directory: ${JSON.stringify(path)}`);
  if (there !== undefined && (there !== 'file' || isDescriptor(path)) && !isDirectory)
    throw new TreeError('bad-place', `${JSON.stringify(path)} is there and is no file`);
  if (there !== undefined && isDirectory)
    throw new TreeError('bad-place', `${JSON.stringify(path)} is there and is no directory`);
  const trimmed = path.replace(/\/+$/, '');
  const slash = trimmed.lastIndexOf('/');
  const last = trimmed.slice(slash + 1);
  if (['', '.', '..'].includes(last)) throw new SystemError('open', ENOENT, { path });
  const parent = slash === -1 ? '.' : trimmed.slice(0, slash) || '/';
  return new TreePlace(open(parent, DIRECTORY), name, [byteString(utf8Encode(last))]);
}

/** `/dev/stdout` and its like, which a file would take the place of. */
function isDescriptor(path: string): boolean {
  return unless(['EINVAL'], () => readlink(path))?.startsWith('/proc/') === true;
}
