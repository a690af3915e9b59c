/** Places in a root that somebody else has filled, with links that lead anywhere: nothing outside of it is reached. */
import { hasCode, SystemError, unless } from './errors.ts';
import { File, open_, openInRoot } from './files.ts';
import { mkdir, readlink, unlink } from './paths.ts';
import { fstat } from './stat.ts';

export type PlaceKind = 'directory' | 'file';

const PATH = open_.path;
const DIRECTORY = open_.path | open_.directory;
const NEW_FILE = open_.writeOnly | open_.create | open_.exclusive | open_.noFollow;
/** As the kernel. */
const MOST_LINKS = 40;
const ELOOP = 40;

/** Told of each place in which something is to be made, and of the one that is found; by throwing it says no. */
export type PlaceCheck = (place: number) => void;

/**
 * What a path names below the open directory `root`, links in it followed as if that were `/`, and made where it is missing, with the
 * directories on the way: 0755, of who makes them. A file in the place of a directory makes way. @throws SystemError
 */
export function openOrMakeInRoot(
  root: number,
  path: string,
  kind: PlaceKind,
  check: PlaceCheck = () => undefined,
): File {
  const found = walk(root, path, kind, check);
  const place = new File(openInRoot(root, found.path, PATH));
  check(place.fd);
  const isDirectory = fstat(place.fd).kind === 'directory';
  if (isDirectory || kind === 'file') return place;
  place[Symbol.dispose]();
  using parent = new File(openInRoot(root, found.parent, DIRECTORY));
  unlink(found.name, parent.fd);
  mkdir(found.name, 0o755, parent.fd);
  return File.open(found.name, DIRECTORY | open_.noFollow, 0, parent.fd);
}

interface Walked {
  readonly path: string;
  readonly parent: string;
  readonly name: string;
}

/** Name by name; a link that leads nowhere is followed by hand, so that what it names is made. */
function walk(root: number, path: string, kind: PlaceKind, check: PlaceCheck): Walked {
  let at = '/';
  let parent = '/';
  let last = '.';
  let links = 0;
  const rest = namesOf(path);
  for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
    const next = `${at === '/' ? '' : at}/${name}`;
    if (!isThere(root, next)) {
      using directory = new File(openInRoot(root, at, DIRECTORY));
      const link = unless(['EINVAL', 'ENOENT'], () => readlink(name, directory.fd));
      if (link !== undefined) {
        links += 1;
        if (links > MOST_LINKS) throw new SystemError('open', ELOOP, { path });
        rest.unshift(...namesOf(link));
        if (link.startsWith('/')) at = '/';
        continue;
      }
      check(directory.fd);
      makeAt(directory.fd, name, rest.length === 0 ? kind : 'directory');
    }
    [parent, last, at] = [at, name, next];
  }
  return { path: at, parent, name: last };
}

function namesOf(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}

function isThere(root: number, path: string): boolean {
  try {
    using _ = new File(openInRoot(root, path, PATH));
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}

function makeAt(directory: number, name: string, kind: PlaceKind): void {
  if (kind === 'directory') mkdir(name, 0o755, directory);
  else File.open(name, NEW_FILE, 0o644, directory)[Symbol.dispose]();
}
