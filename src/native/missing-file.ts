import { writeFile } from './contents.ts';
import { chmod, mkdirAll, unlink } from './paths.ts';
import { exists, statIfPresent } from './stat.ts';

export interface WantedFile {
  readonly path: string;
  readonly mode: number;
  readonly content: string;
}

/** Writes a file that a root lacks, which is `/`. A link that leads nowhere counts as lacking, and makes way. */
export function writeMissingFile({ path, mode, content }: WantedFile): void {
  if (statIfPresent(path) !== undefined) return;
  if (exists(path)) unlink(path);
  mkdirAll(parentOf(path), 0o755);
  writeFile(path, content, mode);
  chmod(path, mode);
}

function parentOf(path: string): string {
  const end = path.lastIndexOf('/');
  return end <= 0 ? '/' : path.slice(0, end);
}
