import { arrayOf, type Cursor, type Reader, string } from '../appc/json.ts';

/** A list that says something. */
export function nonEmptyListOf<T>(read: Reader<T>): Reader<readonly T[]> {
  return (at) => {
    const list = arrayOf(read)(at);
    if (list.length === 0) throw at.refuse('invalid-value', at.path, 'must not be empty');
    return list;
  };
}

export function absolutePath(at: Cursor): string {
  const path = string(at);
  if (path.startsWith('/')) return path;
  throw at.refuse('invalid-value', at.path, `expected an absolute path, got ${JSON.stringify(path)}`);
}
