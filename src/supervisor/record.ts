import { writeFile } from '../native/contents.ts';
import { chmod, rename } from '../native/paths.ts';

/**
 * Writes a file as a whole, for readers and for whatever kills us. It is not forced to the disk, which can take longer than
 * starting a machine: after a power cut what it says of a running pod is void anyway.
 */
export function record(path: string, text: string, mode: number): void {
  const temporary = `${path}.tmp`;
  writeFile(temporary, text, mode);
  // The umask may have cut the mode.
  chmod(temporary, mode);
  rename(temporary, path);
}
