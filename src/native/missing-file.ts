import { writeFile } from './contents.ts';
import { File, open_ } from './files.ts';
import { chmod, mkdirAll, unlink } from './paths.ts';
import { openOrMakeInRoot } from './place-in-root.ts';
import { exists, stat, statIfPresent } from './stat.ts';

export interface WantedFile {
  readonly path: string;
  readonly mode: number;
  readonly content: string;
}

/**
 * Writes a file that a root lacks, which is `/`. A link that leads nowhere counts as lacking, and makes way; not one in a volume, which
 * is somebody's and leads somewhere outside: what it names in the root is made.
 */
export function writeMissingFile({ path, mode, content }: WantedFile): void {
  if (statIfPresent(path) !== undefined) return;
  if (exists(path)) {
    if (isInRoot(parentOf(path))) unlink(path);
    else makeTarget(path);
  }
  mkdirAll(parentOf(path), 0o755);
  writeFile(path, content, mode);
  chmod(path, mode);
}

function isInRoot(directory: string): boolean {
  return stat(directory).mountId === stat('/').mountId;
}

function makeTarget(link: string): void {
  using root = File.open('/', open_.path | open_.directory);
  openOrMakeInRoot(root.fd, link, 'file')[Symbol.dispose]();
}

function parentOf(path: string): string {
  const end = path.lastIndexOf('/');
  return end <= 0 ? '/' : path.slice(0, end);
}
