/**
 * Archives a directory tree that somebody hostile may have made, and may still be changing: links are archived and never
 * followed, fifos and devices are not opened, and nothing is believed about a file but what its open descriptor says.
 */
import { type ByteString, byteString, kernelName, shownName } from './byte-names.ts';
import { visitEntries } from './directories.ts';
import { hasCode, SystemError } from './errors.ts';
import { File, open_ } from './files.ts';
import { dataRegions, type Region, readRegion } from './sparse-files.ts';
import { fstat, type Stat } from './stat.ts';
import { attempt, checked } from './syscall.ts';
import { keptAttributes, type OverlayMarks, overlayMarks } from './tree-attributes.ts';

interface TreeMetadata {
  readonly path: ByteString;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: { readonly seconds: number; readonly nanoseconds: number };
  readonly xattrs: ReadonlyMap<ByteString, Uint8Array>;
}

export type TreeEntry = TreeMetadata &
  (
    | { readonly kind: 'file'; readonly size: number; readonly regions: readonly Region[] }
    | { readonly kind: 'directory' }
    | { readonly kind: 'symlink' | 'hardlink'; readonly target: ByteString }
    | { readonly kind: 'character' | 'block'; readonly major: number; readonly minor: number }
    | { readonly kind: 'fifo' }
  );

/** Where an archive goes, and how it is written there. */
export interface ArchiveSink {
  /** What stands before an entry's content. */
  readonly format: (entry: TreeEntry) => Uint8Array;
  /** Bytes behind content of this length. */
  readonly padding: (length: number) => number;
  readonly write: (bytes: Uint8Array) => void;
  /** Something that the archive does not hold. */
  readonly leaveOut: (path: string, reason: string) => void;
}

export interface ArchiveRules {
  /** Of an overlay's upper directory: a layer of OCI, with its marks for what is removed below. */
  readonly layer: boolean;
  /** Names that begin with `.wh.` mean something else in the format. */
  readonly reservesNames: boolean;
}

export class TreeError extends Error {
  override readonly name = 'TreeError';

  constructor(
    readonly code: 'too-large' | 'redirected' | 'bad-path' | 'bad-place',
    message: string,
  ) {
    super(message);
  }
}

// What rkt itself takes of an archive (src/image/tar/limits.ts, src/image/extract/path.ts): what goes beyond could not be run.
const MAX_DEPTH = 256;
const MAX_PATH = 4096;
const MAX_SIZE = 2 ** 40;
const MAX_ENTRIES = 2_000_000;
/** Of one directory, in memory: a guest may make as many as its disk has inodes. */
const MAX_NAMES = 1_000_000;

const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';
/** A fifo does not block its opener so, and a terminal does not become ours. */
const READ = open_.readOnly | open_.noFollow | open_.nonBlocking | open_.noControllingTerminal;

export class TreeArchive {
  readonly #sink: ArchiveSink;
  readonly #rules: ArchiveRules;
  /** The first name of each file that has several. */
  readonly #linked = new Map<string, { readonly path: ByteString; left: number }>();
  #entries = 0;
  #hasLeftOut = false;

  constructor(sink: ArchiveSink, rules: ArchiveRules) {
    this.#sink = sink;
    this.#rules = rules;
  }

  /** Whether there was anything to archive, or to leave out. */
  get isEmpty(): boolean {
    return this.#entries === 0 && !this.#hasLeftOut;
  }

  /** Archives a name of an open directory, with all below it, as `path`; an empty one stands for the archive's top. */
  add(directory: number, name: ByteString, path: ByteString): void {
    this.#add(directory, { name, kind: 'unknown' }, path, 0);
  }

  #add(parent: number, { name, kind }: NamedEntry, path: ByteString, depth: number): void {
    if (depth > MAX_DEPTH) throw tooLarge(path, `is deeper than ${MAX_DEPTH} directories`);
    if (path.length > MAX_PATH) throw tooLarge(path, `is longer than ${MAX_PATH} bytes`);
    const isReadable = kind === 'file' || kind === 'directory';
    const opened = openAt(parent, name, isReadable ? READ : open_.path | open_.noFollow);
    if (opened === undefined) return;
    using file = opened;
    const stat = fstat(file.fd);
    if (stat.kind !== 'file' && stat.kind !== 'directory') this.#special(file.fd, name, stat, path);
    else if (isReadable) this.#readable(file.fd, stat, path, depth);
    // Of what it is the directory has said nothing: now it is known, and opened to be read.
    else this.#add(parent, { name, kind: stat.kind }, path, depth);
  }

  #readable(fd: number, stat: Stat, path: ByteString, depth: number): void {
    const marks = this.#rules.layer ? overlayMarks(fd) : undefined;
    if (marks?.isRedirected === true)
      throw new TreeError(
        'redirected',
        `${shownName(path)} stands for what another name has in the layers below`,
      );
    if (stat.kind === 'directory') this.#directory(fd, stat, path, depth, marks);
    else this.#file(fd, stat, path);
  }

  #directory(fd: number, stat: Stat, path: ByteString, depth: number, marks: OverlayMarks | undefined): void {
    this.#put({ ...metadata(fd, stat, path === '' ? './' : path), kind: 'directory' });
    if (marks?.isOpaque === true) this.#put(emptyFile(below(path, OPAQUE)));
    for (const entry of sortedEntries(fd, path)) {
      const path_ = below(path, entry.name);
      if (this.#rules.reservesNames && entry.name.startsWith(WHITEOUT))
        this.#leaveOut(shownName(path_), 'such a name removes others in an OCI image');
      else this.#add(fd, entry, path_, depth + 1);
    }
  }

  #file(fd: number, stat: Stat, path: ByteString): void {
    if (this.#isLink(fd, stat, path)) return;
    const { size } = stat;
    if (size > MAX_SIZE) throw tooLarge(path, `is larger than ${MAX_SIZE} bytes`);
    const regions = dataRegions(fd, stat);
    if (regions === undefined) throw tooLarge(path, 'has too many holes');
    this.#put({ ...metadata(fd, stat, path), kind: 'file', size, regions });
    let length = 0;
    for (const region of regions) {
      readRegion(fd, region, (bytes) => this.#sink.write(bytes));
      length += region.length;
    }
    this.#sink.write(new Uint8Array(this.#sink.padding(length)));
  }

  #special(fd: number, name: ByteString, stat: Stat, path: ByteString): void {
    const { kind, represents } = stat;
    const bare = { ...metadata(undefined, stat, path) };
    const isNothing = kind === 'char' && represents.major === 0 && represents.minor === 0;
    switch (kind) {
      case 'symlink':
        this.#put({ ...bare, kind, target: readLink(fd) });
        return;
      case 'char':
        if (isNothing && this.#rules.layer)
          this.#put(emptyFile(`${path.slice(0, -name.length)}${WHITEOUT}${name}`));
        else if (isNothing) this.#leaveOut(shownName(path), 'to an overlay that device means a removed file');
        else if (!this.#isLink(undefined, stat, path))
          this.#put({ ...bare, kind: 'character', ...represents });
        return;
      case 'block':
        if (!this.#isLink(undefined, stat, path)) this.#put({ ...bare, kind, ...represents });
        return;
      case 'fifo':
        if (!this.#isLink(undefined, stat, path)) this.#put({ ...bare, kind });
        return;
      default:
        this.#leaveOut(shownName(path), `is a ${kind === 'socket' ? 'socket' : 'file of an unknown kind'}`);
    }
  }

  /** A further name of what is in the archive already is put there as such. */
  #isLink(fd: number | undefined, stat: Stat, path: ByteString): boolean {
    if (stat.links < 2) return false;
    const { major, minor } = stat.device;
    const key = [major, minor, ...stat.inodeHalves].join(':');
    const known = this.#linked.get(key);
    if (known === undefined) {
      this.#linked.set(key, { path, left: stat.links - 1 });
      return false;
    }
    known.left -= 1;
    if (known.left <= 0) this.#linked.delete(key);
    this.#put({ ...metadata(fd, stat, path), xattrs: new Map(), kind: 'hardlink', target: known.path });
    return true;
  }

  #leaveOut(path: string, reason: string): void {
    this.#hasLeftOut = true;
    this.#sink.leaveOut(path, reason);
  }

  #put(entry: TreeEntry): void {
    this.#entries += 1;
    if (this.#entries > MAX_ENTRIES) throw tooLarge(entry.path, `is one of more than ${MAX_ENTRIES} files`);
    this.#sink.write(this.#sink.format(entry));
  }
}

interface NamedEntry {
  readonly name: ByteString;
  readonly kind: Stat['kind'];
}

/** In the order of the names, for which all of them have to be held. @throws TreeError */
function sortedEntries(fd: number, path: ByteString): NamedEntry[] {
  const entries: NamedEntry[] = [];
  visitEntries(fd, (name, kind) => {
    if (entries.length >= MAX_NAMES) throw tooLarge(path, `has more than ${MAX_NAMES} names in it`);
    entries.push({ name: byteString(name), kind });
  });
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function metadata(fd: number | undefined, stat: Stat, path: ByteString): TreeMetadata {
  const { permissions, uid, gid, modified } = stat;
  return {
    path,
    mode: permissions,
    uid,
    gid,
    mtime: modified,
    xattrs: fd === undefined ? new Map() : keptAttributes(fd),
  };
}

/** What marks something in a layer. */
function emptyFile(path: ByteString): TreeEntry {
  const mtime = { seconds: 0, nanoseconds: 0 };
  return { path, mode: 0o644, uid: 0, gid: 0, mtime, xattrs: new Map(), kind: 'file', size: 0, regions: [] };
}

function below(path: ByteString, name: ByteString): ByteString {
  return path === '' ? name : `${path}/${name}`;
}

/** Undefined for what has gone, or has become something else, since its directory was read. */
function openAt(directory: number, name: ByteString, flags: number): File | undefined {
  const bytes = kernelName(name);
  const result = attempt('openat', directory, bytes, flags | open_.closeOnExec, 0);
  if (result >= 0) return new File(result);
  const error = new SystemError('openat', result, { path: shownName(name) });
  if (hasCode(error, 'ENOENT', 'ELOOP', 'ENXIO', 'ENODEV')) return undefined;
  throw error;
}

function readLink(fd: number): ByteString {
  const out = new Uint8Array(MAX_PATH);
  return byteString(out.subarray(0, checked('readlinkat', attempt('readlinkat', fd, '', out, out.length))));
}

function tooLarge(path: ByteString, problem: string): TreeError {
  return new TreeError('too-large', `${shownName(path)} ${problem}`);
}
