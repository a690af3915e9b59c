/**
 * Makes files of an archive in a directory, while others may be changing what is in it: nothing but the directory's own
 * descriptor and those opened below it without following a link is believed.
 */
import { type ByteString, kernelName, shownName } from './byte-names.ts';
import { Packer } from './bytes.ts';
import { SystemError } from './errors.ts';
import { close, open_, openWithoutLinks, writeAll } from './files.ts';
import { encodeDevice } from './paths.ts';
import type { Region } from './sparse-files.ts';
import { type FileKind, fstat, type Stat } from './stat.ts';
import { attempt, call, checked } from './syscall.ts';
import { type TreeEntry, TreeError } from './tree-archive.ts';
import { setAttribute } from './tree-attributes.ts';

type Names = readonly ByteString[];
type Content = (region: Region, take: (bytes: Uint8Array) => void) => void;

interface Opened {
  readonly names: Names;
  readonly fd: number;
  /** To be set when nothing is written to it any more. */
  readonly mtime: TreeEntry['mtime'] | undefined;
}

const ENOENT = -2;
const EEXIST = -17;
const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_EMPTY_PATH = 0x1000;
const DIRECTORY = open_.readOnly | open_.directory | open_.noFollow;
const NEW_FILE = open_.writeOnly | open_.create | open_.exclusive | open_.noFollow;
const MAX_DEPTH = 256;
const TYPES = { fifo: 0o010000, character: 0o020000, block: 0o060000 } as const;

export class TreeExtraction {
  readonly #top: number;
  /** The directories on the way to the last entry, from the top down: archives go on where they are. */
  #trail: Opened[] = [];

  /** `top` stays the caller's. Modes are the archive's as far as the process's umask is 0. */
  constructor(top: number) {
    this.#top = top;
  }

  /** `locate` gives a path's names below the top, `content` the bytes of a region. @throws SystemError, TreeError */
  add(entry: TreeEntry, locate: (path: ByteString) => Names, content: Content): void {
    const names = locate(entry.path);
    const last = names.at(-1);
    // The directory that takes the others is there, and stays as it is.
    if (last === undefined) return;
    if (names.length > MAX_DEPTH)
      throw new TreeError('too-large', `${shown(names)} is deeper than ${MAX_DEPTH} directories`);
    const parent = this.#directory(names.slice(0, -1));
    switch (entry.kind) {
      case 'directory':
        this.#makeDirectory(parent, names, entry);
        return;
      case 'file':
        this.#makeFile(parent, names, entry, content);
        return;
      case 'symlink':
        make(parent, names, 'symlinkat', (name) =>
          attempt('symlinkat', kernelName(entry.target), parent, name),
        );
        attributesAt(parent, last, entry);
        return;
      case 'hardlink':
        this.#makeLink(parent, names, locate(entry.target));
        return;
      case 'character':
      case 'block':
      case 'fifo': {
        const device = entry.kind === 'fifo' ? 0 : encodeDevice(entry);
        const mode = TYPES[entry.kind] | entry.mode;
        const kind = entry.kind === 'character' ? 'char' : entry.kind;
        make(parent, names, 'mknodat', (name) => attempt('mknodat', parent, name, mode, device), kind);
        attributesAt(parent, last, entry);
        return;
      }
      default:
        entry satisfies never;
    }
  }

  finish(): void {
    this.#leave(0);
  }

  [Symbol.dispose](): void {
    for (const { fd } of this.#trail.splice(0)) close(fd);
  }

  /** The directory of these names, made where the archive has no entry for it. */
  #directory(names: Names): number {
    let depth = 0;
    while (depth < names.length && this.#trail[depth]?.names.at(-1) === names[depth]) depth++;
    this.#leave(depth);
    for (; depth < names.length; depth++) {
      const here = this.#trail.at(-1)?.fd ?? this.#top;
      const below = names.slice(0, depth + 1);
      const made = attempt('mkdirat', here, nameOf(below), 0o755);
      if (made !== EEXIST) check(made, 'mkdirat', below);
      this.#enter(here, below, undefined);
    }
    return this.#trail.at(-1)?.fd ?? this.#top;
  }

  #enter(here: number, names: Names, mtime: Opened['mtime']): number {
    const fd = openDirectory(here, names);
    this.#trail.push({ names, fd, mtime });
    return fd;
  }

  /** Closes what is deeper, and gives it its times. */
  #leave(depth: number): void {
    for (const { fd, mtime } of this.#trail.splice(depth).reverse()) {
      if (mtime !== undefined) call('utimensat', fd, null, times(mtime), 0);
      close(fd);
    }
  }

  #makeDirectory(parent: number, names: Names, entry: TreeEntry): void {
    const made = attempt('mkdirat', parent, nameOf(names), 0o700);
    if (made !== EEXIST) check(made, 'mkdirat', names);
    const fd = this.#enter(parent, names, entry.mtime);
    applyAttributes(fd, entry, undefined);
  }

  #makeFile(parent: number, names: Names, entry: TreeEntry & { kind: 'file' }, content: Content): void {
    const mode = entry.mode & 0o777;
    const fd = make(parent, names, 'openat', (name) =>
      attempt('openat', parent, name, NEW_FILE | open_.closeOnExec, mode),
    );
    try {
      const made = fstat(fd);
      let end = 0;
      for (const region of entry.regions) {
        call('lseek', fd, region.offset, 0);
        content(region, (bytes) => writeAll(fd, bytes));
        end = region.offset + region.length;
      }
      // On a share each of these is a question to the host.
      if (end !== entry.size) call('ftruncate', fd, entry.size);
      applyAttributes(fd, entry, made);
      call('utimensat', fd, null, times(entry.mtime), 0);
    } finally {
      close(fd);
    }
  }

  #makeLink(parent: number, names: Names, target: Names): void {
    const from =
      target.length < 2
        ? this.#top
        : openWithoutLinks(this.#top, pathOf(target.slice(0, -1)), open_.path | open_.directory);
    try {
      make(parent, names, 'linkat', (name) => attempt('linkat', from, nameOf(target), parent, name, 0));
    } finally {
      if (from !== this.#top) close(from);
    }
  }
}

/**
 * Makes something of a name. A file or a link that has it already goes, and what is of the same kind; nothing else: the place of
 * `/dev/null` is no place for a file.
 */
function make(
  parent: number,
  names: Names,
  call: string,
  act: (name: string | Uint8Array) => number,
  kind: FileKind = 'file',
): number {
  const name = nameOf(names);
  const made = act(name);
  if (made !== EEXIST) return check(made, call, names);
  const there = kindOf(parent, name);
  if (there !== undefined && !['file', 'symlink', 'directory', kind].includes(there))
    throw new TreeError('bad-place', `${shown(names)} is there and is no file`);
  const removed = attempt('unlinkat', parent, name, 0);
  if (removed === -21) throw new TreeError('bad-place', `${shown(names)} is there and is a directory`);
  if (removed !== ENOENT) check(removed, 'unlinkat', names);
  return check(act(name), call, names);
}

/** Of the name itself; undefined where it has gone. */
function kindOf(parent: number, name: string | Uint8Array): FileKind | undefined {
  const fd = attempt('openat', parent, name, open_.path | open_.noFollow | open_.closeOnExec, 0);
  if (fd < 0) return undefined;
  const { kind } = fstat(fd);
  close(fd);
  return kind;
}

function openDirectory(parent: number, names: Names): number {
  const fd = attempt('openat', parent, nameOf(names), DIRECTORY | open_.closeOnExec, 0);
  if (fd >= 0) return fd;
  const error = new SystemError('openat', fd);
  if (error.code !== 'ENOTDIR' && error.code !== 'ELOOP')
    throw new SystemError('openat', fd, { path: shown(names) });
  throw new TreeError('bad-place', `${shown(names)} is there and is no directory`);
}

/** Owner first: changing it takes set-user-id bits and capabilities away. `made`: what it has been made with already. */
function applyAttributes(fd: number, { uid, gid, mode, xattrs }: TreeEntry, made: Stat | undefined): void {
  if (made?.uid !== uid || made.gid !== gid) call('fchownat', fd, '', uid, gid, AT_EMPTY_PATH);
  if (made?.permissions !== mode) call('fchmod', fd, mode);
  for (const [name, value] of xattrs) setAttribute(fd, name, value);
}

/** Of what must not be opened, and whose mode it was made with. */
function attributesAt(parent: number, name: ByteString, { uid, gid, mtime }: TreeEntry): void {
  call('fchownat', parent, kernelName(name), uid, gid, AT_SYMLINK_NOFOLLOW);
  call('utimensat', parent, kernelName(name), times(mtime), AT_SYMLINK_NOFOLLOW);
}

function times({ seconds, nanoseconds }: TreeEntry['mtime']): Uint8Array {
  return new Packer(32).u64(seconds).u64(nanoseconds).u64(seconds).u64(nanoseconds).finish();
}

function nameOf(names: Names): string | Uint8Array {
  return kernelName(names.at(-1) ?? '');
}

function pathOf(names: Names): string | Uint8Array {
  return kernelName(names.join('/'));
}

function check(result: number, call: string, names: Names): number {
  return checked(call, result, { path: shown(names) });
}

function shown(names: Names): string {
  return shownName(names.join('/'));
}
