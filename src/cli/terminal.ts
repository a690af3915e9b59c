import { fstatSync } from 'node:fs';
import { isatty } from 'node:tty';

/** As isatty(3). Of a file or a pipe it is told without what Node has for terminals, which takes time to load. */
export function isTerminal(fd: number): boolean {
  try {
    return fstatSync(fd).isCharacterDevice() && isatty(fd);
  } catch {
    // A caller may have closed it.
    return false;
  }
}
