import { type GivenFile, readGivenFile } from '../stage0/given-files.ts';
import { CliError } from './error.ts';

/** The text of a file that the command line names. Throws CliError `usage`. */
export function readGiven(kind: GivenFile, path: string): string {
  try {
    return readGivenFile(kind, path);
  } catch (cause) {
    throw new CliError('usage', `unable to read ${path}`, { cause });
  }
}
