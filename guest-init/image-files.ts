import type { FilePlan } from '../src/abi/boot-plan.ts';
import { writeFile } from '../src/native/contents.ts';
import { chmod, mkdirAll, unlink } from '../src/native/paths.ts';
import { exists, statIfPresent } from '../src/native/stat.ts';

/** Writes a file that the image lacks. A link that leads nowhere counts as lacking, and makes way. */
export function writeImageFile({ path, mode, content }: FilePlan): void {
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
