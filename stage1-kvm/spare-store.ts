/** The directories of spare machines (`src/abi/spares.ts`), as those see them who keep or take one. */
import { SPARE, SPARES } from '../src/abi/spares.ts';
import { readTextIfPresent, writeFile } from '../src/native/contents.ts';
import { entries, readdir } from '../src/native/directories.ts';
import { unless } from '../src/native/errors.ts';
import { close, File, open, open_, tryLock } from '../src/native/files.ts';
import { mkdirAll, rmdir, unlink } from '../src/native/paths.ts';
import { connectTo } from '../src/native/sockets.ts';
import { exists, fstat, statIfPresent } from '../src/native/stat.ts';
import { removeTree } from '../src/native/tree-removal.ts';
import { chooseSpareId, lockIds, parseIdRange } from './ids.ts';
import type { TemplateKind } from './template-store.ts';

type Kind = Pick<TemplateKind, 'directory' | 'key'>;

/** A place for a spare machine, that this process has as long as it has the lock. */
export class Slot {
  #isLeft = false;

  constructor(
    readonly place: string,
    private readonly file: File,
  ) {}

  /** Nobody finds the machine there any more, and somebody else may have the place. */
  leave(): void {
    if (this.#isLeft) return;
    this.#isLeft = true;
    // Whoever comes next may be making his own lock there.
    unless(['ENOENT', 'ENOTEMPTY'], () => {
      empty(this.place);
      unlink(`${this.place}/${SPARE.lock}`);
      rmdir(this.place);
    });
    this.file[Symbol.dispose]();
  }

  /** None can be made, and whoever comes next need not try. */
  fail(why: string): void {
    if (this.#isLeft) return;
    this.#isLeft = true;
    empty(this.place);
    writeFile(`${this.place}/${SPARE.failure}`, `${why}\n`, 0o600);
    this.file[Symbol.dispose]();
  }
}

function slotsPlace({ directory, key }: Kind): string {
  return `${directory}/${SPARES}/${key}`;
}

/** Of the first so many the first that nobody has, made empty; undefined: there is none. */
export function takeSlot(kind: Kind, count: number): Slot | undefined {
  for (let number = 0; number < count; number++) {
    const place = `${slotsPlace(kind)}/${number}`;
    const file = hasFailed(place) ? undefined : lockPlace(place);
    if (file === undefined) continue;
    empty(place);
    return new Slot(place, file);
  }
  return undefined;
}

/** Undefined where somebody has it. Whoever had it, or `gc`, may be removing it. */
function lockPlace(place: string): File | undefined {
  const path = `${place}/${SPARE.lock}`;
  const file = unless(['ENOENT'], () => {
    mkdirAll(place, 0o700);
    return File.open(path, open_.readWrite | open_.create, 0o600);
  });
  if (file === undefined) return undefined;
  if (tryLock(file.fd, 'exclusive') && statIfPresent(path)?.inode === fstat(file.fd).inode) return file;
  file[Symbol.dispose]();
  return undefined;
}

function hasFailed(place: string): boolean {
  return exists(`${place}/${SPARE.failure}`);
}

/** Whether nobody need be started for one of the first so many: all are somebody's, or of no use. */
export function areSlotsTaken(kind: Kind, count: number): boolean {
  for (let number = 0; number < count; number++) {
    if (hasFailed(`${slotsPlace(kind)}/${number}`)) continue;
    using file = unless(['ENOENT'], () =>
      File.open(`${slotsPlace(kind)}/${number}/${SPARE.lock}`, open_.readWrite),
    );
    if (file === undefined || tryLock(file.fd, 'exclusive')) return false;
  }
  return true;
}

function empty(place: string): void {
  for (const { name, kind } of entries(place)) {
    if (name === SPARE.lock) continue;
    if (kind === 'directory') removeTree(`${place}/${name}`);
    else unlink(`${place}/${name}`);
  }
}

/** Why none could be made. */
export function spareFailures(kind: Kind): string[] {
  const slots = slotsPlace(kind);
  return (unless(['ENOENT'], () => readdir(slots)) ?? []).flatMap((name) => {
    const text = unless(GONE, () => readTextIfPresent(`${slots}/${name}/${SPARE.failure}`));
    return text === undefined ? [] : [text.trim()];
  });
}

/** Connections to those that are ready, one after the other: each may have gone to somebody else meanwhile. */
export function* connectToSpares(kind: Kind): Generator<{ readonly place: string; readonly socket: number }> {
  const slots = slotsPlace(kind);
  for (const name of unless(['ENOENT'], () => readdir(slots)) ?? []) {
    const place = `${slots}/${name}`;
    const socket = unless(GONE, () => connectIn(place));
    if (socket !== undefined) yield { place, socket };
  }
}

const GONE = ['ENOENT', 'ENOTDIR', 'ECONNREFUSED', 'EACCES'];

/** Where a path would be too long for a socket. */
function connectIn(place: string): number {
  const directory = open(place, open_.path | open_.directory);
  try {
    return connectTo('seqpacket', { kind: 'path', path: `/proc/self/fd/${directory}/${SPARE.socket}` });
  } finally {
    close(directory);
  }
}

/** A uid for its QEMU, that no pod's has and no other spare's. `directory` is the scope's, `DATA/templates/SCOPE`. */
export function allocateSpareId({ place }: Slot, directory: string, range: string | undefined): number {
  const templates = parentOf(directory);
  const data = parentOf(templates);
  mkdirAll(`${data}/locks`, 0o750);
  using _lock = lockIds(data);
  const id = chooseSpareId(parseIdRange(range), data);
  writeFile(`${place}/${SPARE.id}`, `${id}\n`, 0o600);
  return id;
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}
