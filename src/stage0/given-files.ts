import { manifestLimits } from '../appc/json-document.ts';
import { readGivenText } from '../os/given-file.ts';

/** Files that a command line names, and what is too large to be one; in bytes. */
const LARGEST = {
  podManifest: manifestLimits.characters,
  // What the kernel lets a program have of arguments and environment, with a stack of the usual size.
  environment: 2 * 1024 * 1024,
  seccompProfile: 1024 * 1024,
  uuid: 4096,
} as const;

export type GivenFile = keyof typeof LARGEST;

/** @throws GivenFileError, and Node's own errors for what cannot be opened */
export function readGivenFile(kind: GivenFile, path: string): string {
  return readGivenText(path, LARGEST[kind]);
}
