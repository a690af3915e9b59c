import { randomUUID } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { type Descriptor, openDirectory } from '../os/descriptor.ts';
import { tryRename } from '../os/directory-entries.ts';
import { openNameless, pathOf, tryName } from '../os/nameless-file.ts';
import { check } from '../os/syscall.ts';
import { removeTree } from '../os/tree.ts';
import { ImageError } from './error.ts';

const EEXIST = -17;

/**
 * Makes what a user asked to have at `path`: it is made beside its place and put there when it is whole, so that nothing half made is
 * left whatever happens. @throws ImageError `output-exists` where something is there that may not be overwritten
 */
export async function makeOutput(
  path: string,
  overwrite: boolean,
  make: (temporary: string) => Promise<void>,
): Promise<void> {
  const place = resolve(path);
  using parent = openPlace(place, overwrite);
  const temporary = `.${basename(place)}.${randomUUID()}`;
  try {
    await make(join(dirname(place), temporary));
    refuseExisting(place, overwrite);
    if (overwrite) removeTree(parent, basename(place));
    const renamed = tryRename(parent, temporary, parent, basename(place));
    if (renamed === EEXIST) throw exists(place);
    check(renamed, 'renameat2', place);
  } catch (error) {
    removeTree(parent, temporary);
    throw error;
  }
}

/**
 * As `makeOutput`, of one file, which `make` writes by the path that it is given: it has no name before it is whole, so that not even
 * SIGKILL leaves it.
 */
export async function makeOutputFile(
  path: string,
  overwrite: boolean,
  make: (temporary: string) => Promise<void>,
): Promise<void> {
  const place = resolve(path);
  using parent = openPlace(place, overwrite);
  refuseOther(place);
  using file = openNameless(parent);
  if (file === undefined) return await makeOutput(path, overwrite, make);
  await make(pathOf(file));
  refuseExisting(place, overwrite);
  refuseOther(place);
  if (overwrite) removeTree(parent, basename(place));
  const named = tryName(file, parent, basename(place));
  if (named === EEXIST) throw exists(place);
  check(named, 'linkat', place);
}

/** The directory that something is to be put in. @throws ImageError `output-exists`, `not-found` */
function openPlace(place: string, overwrite: boolean): Descriptor {
  if (place === '/') throw new ImageError('output-exists', 'the root of this host is no place for an image');
  refuseExisting(place, overwrite);
  if (!existsSync(dirname(place))) throw new ImageError('not-found', `no such directory: ${dirname(place)}`);
  return openDirectory(dirname(place));
}

/** A directory for what is made from images; its owner decides who may look. */
export function makeOutputDirectory(path: string): void {
  mkdirSync(path, { mode: 0o755 });
}

function refuseExisting(path: string, overwrite: boolean): void {
  if (!overwrite && lstatSync(path, { throwIfNoEntry: false }) !== undefined) throw exists(path);
}

/** A file takes the place of a file or a link: never of all that is in a directory, nor of a device. */
function refuseOther(path: string): void {
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there !== undefined && !there.isFile() && !there.isSymbolicLink())
    throw new ImageError('output-exists', `${path} is there already, and is no file`);
}

function exists(path: string): ImageError {
  return new ImageError('output-exists', `${path} is there already (--overwrite replaces it)`);
}
