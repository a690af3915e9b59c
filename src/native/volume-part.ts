/** A part of a directory that somebody else fills, as a mount. */
import { unless } from './errors.ts';
import { File, open_, openWithin } from './files.ts';
import { cloneMount } from './mounts.ts';
import { mkdir } from './paths.ts';

/** A detached mount of a directory or file, or of what a relative path names below it, with all that is mounted there. */
export function cloneSome(path: string, part: string | null): number {
  if (part === null) return cloneMount(path, true);
  using directory = File.open(path, open_.path | open_.directory);
  return clonePart(directory.fd, part);
}

/** A detached mount of what a relative path names below an open directory: no link in there leads out of it. What is missing is made. */
export function clonePart(directory: number, path: string): number {
  using part = new File(openPart(directory, path));
  return cloneMount('', true, part.fd);
}

/** Directories that are missing are made, one by one: between two of them somebody may put a link. */
function openPart(top: number, path: string): number {
  const found = unless(['ENOENT'], () => openWithin(top, path, open_.path));
  if (found !== undefined) return found;
  const at = path.lastIndexOf('/');
  using parent = new File(at < 0 ? openWithin(top, '.', open_.path) : openPart(top, path.slice(0, at)));
  unless(['EEXIST'], () => mkdir(path.slice(at + 1), 0o755, parent.fd));
  return openWithin(top, path, open_.path);
}
