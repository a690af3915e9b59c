/** The two ends of a copied tree: the one that archives it, and the one that makes files of the archive. */

import { ByteInput } from './byte-input.ts';
import { byteString } from './byte-names.ts';
import { ByteOutput } from './byte-output.ts';
import { utf8Encode } from './engine.ts';
import { SystemError } from './errors.ts';
import { umask } from './processes.ts';
import { type ArchiveRules, TreeArchive, type TreeEntry } from './tree-archive.ts';
import { TreeExtraction } from './tree-extraction.ts';
import { placeTree } from './tree-place.ts';
import { openSource } from './tree-source.ts';

/** How archives are written and read; the same at both ends. */
export interface ArchiveFormat {
  readonly format: (entry: TreeEntry) => Uint8Array;
  readonly padding: (length: number) => number;
  readonly end: Uint8Array;
  /** Undefined at the end. */
  readonly parse: (read: (length: number) => Uint8Array) => TreeEntry | undefined;
}

const ENOENT = 2;
const STDIN = 0;
const STDOUT = 1;

/** So many lines tell what is left out: a guest may have made any number of sockets. */
const MOST_NOTES = 100;

/** Writes what a path of this process's root names to standard output; `note` is told what is not there. @throws SystemError, TreeError */
export function sendTree(
  { format, padding, end }: ArchiveFormat,
  { path, name }: { readonly path: string; readonly name: string },
  rules: ArchiveRules,
  note: (line: string) => void,
): void {
  let count = 0;
  const leaveOut = (path: string, reason: string) => {
    count += 1;
    if (count <= MOST_NOTES) note(`${path} is left out: ${reason}`);
  };
  using source = openSource(path);
  const output = new ByteOutput(STDOUT);
  const archive = new TreeArchive(
    { format, padding, write: (bytes) => output.write(bytes), leaveOut },
    rules,
  );
  archive.add(source.directory, source.name, byteString(utf8Encode(name)));
  if (archive.isEmpty) throw new SystemError('open', ENOENT, { path });
  output.write(end);
  output.flush();
  if (count > MOST_NOTES) note(`${count - MOST_NOTES} more are left out`);
}

/**
 * Makes the files of the archive on standard input, at a path of this process's root or in the directory that is there. `name` is what
 * was archived; null: entries of any kind, for a directory. @throws SystemError, TreeError, RangeError, and what `parse` throws
 */
export function receiveTree(
  { parse, padding }: ArchiveFormat,
  { path, name }: { readonly path: string; readonly name: string | null },
): void {
  umask(0);
  const input = new ByteInput(STDIN);
  const next = () => parse((length) => input.take(length));
  const first = next();
  using place = placeTree(path, name === null ? null : byteString(utf8Encode(name)), first);
  using extraction = new TreeExtraction(place.directory);
  for (let entry = first; entry !== undefined; entry = next()) {
    extraction.add(
      entry,
      (path) => place.locate(path),
      (region, take) => input.pass(region.length, take),
    );
    if (entry.kind === 'file')
      input.take(padding(entry.regions.reduce((sum, { length }) => sum + length, 0)));
  }
  extraction.finish();
  input.drain();
}
