import { readGivenFile } from '../stage0/given-files.ts';
import { CliError } from './error.ts';

/** The UUIDs of a command line: those given, or the one in `--uuid-file`. Throws CliError `usage`. */
export function uuidArguments(words: readonly string[], file: string | undefined): readonly string[] {
  if (file !== undefined) {
    if (words.length > 0) throw new CliError('usage', '--uuid-file and UUIDs exclude each other');
    return [readUuid(file)];
  }
  if (words.length === 0) throw new CliError('usage', 'no UUID given');
  return words;
}

/** The one UUID of a command line. Throws CliError `usage`. */
export function uuidArgument(words: readonly string[], file: string | undefined): string {
  const [uuid, ...more] = uuidArguments(words, file);
  if (uuid === undefined || more.length > 0) throw new CliError('usage', 'expected one UUID');
  return uuid;
}

function readUuid(path: string): string {
  let uuid: string;
  try {
    uuid = readGivenFile('uuid', path).trim();
  } catch (cause) {
    throw new CliError('usage', `unable to read the UUID from ${path}`, { cause });
  }
  if (uuid === '') throw new CliError('usage', `no UUID in ${path}`);
  return uuid;
}
