import { randomUUID } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, renameSync } from 'node:fs';
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
  refuseSpecial(place);
  const temporary = temporaryName(place);
  try {
    await make(join(dirname(place), temporary));
    refuseSpecial(place);
    refuseExisting(place, overwrite);
    if (overwrite) removeTree(parent, basename(place));
    moveTo(parent, temporary, place);
  } catch (error) {
    removeTree(parent, temporary);
    throw error;
  }
}

/**
 * As `makeOutput`, of one file, which `make` writes by the path that it is given. It has no name before it is whole, so that not even
 * SIGKILL leaves a part of it; what it replaces is there until it is.
 */
export async function makeOutputFile(
  path: string,
  overwrite: boolean,
  make: (temporary: string) => Promise<void>,
): Promise<void> {
  const place = resolve(path);
  using parent = openPlace(place, overwrite);
  refuseOther(place);
  const temporary = temporaryName(place);
  using file = openNameless(parent);
  try {
    await make(file === undefined ? join(dirname(place), temporary) : pathOf(file));
    refuseOther(place);
    refuseExisting(place, overwrite);
    if (file !== undefined) name(file, parent, overwrite ? temporary : basename(place), place);
    if (overwrite) renameSync(join(dirname(place), temporary), place);
    else if (file === undefined) moveTo(parent, temporary, place);
  } catch (error) {
    removeTree(parent, temporary);
    throw error;
  }
}

function temporaryName(place: string): string {
  return `.${basename(place)}.${randomUUID()}`;
}

/** @throws ImageError `output-exists` */
function name(file: Descriptor, parent: Descriptor, entry: string, place: string): void {
  const named = tryName(file, parent, entry);
  if (named === EEXIST) throw exists(place);
  check(named, 'linkat', place);
}

/** @throws ImageError `output-exists` */
function moveTo(parent: Descriptor, temporary: string, place: string): void {
  const renamed = tryRename(parent, temporary, parent, basename(place));
  if (renamed === EEXIST) throw exists(place);
  check(renamed, 'renameat2', place);
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

/** A directory takes the place of a file, a link or all of a directory: `--overwrite /dev/null` is a mistake. */
function refuseSpecial(path: string): void {
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there === undefined || there.isFile() || there.isSymbolicLink() || there.isDirectory()) return;
  throw new ImageError('output-exists', `${path} is there already, and is neither a file nor a directory`);
}

function exists(path: string): ImageError {
  return new ImageError('output-exists', `${path} is there already (--overwrite replaces it)`);
}
