/** Copies what is in one directory to another, as it is: owners, modes, times, extended attributes and hard links. */
import { type ByteString, kernelName } from './byte-names.ts';
import { Packer } from './bytes.ts';
import { visitEntries } from './directories.ts';
import { close, open_, writeAll } from './files.ts';
import { encodeDevice } from './paths.ts';
import { dataRegions, readRegion } from './sparse-files.ts';
import { type FileKind, fstat, type Stat } from './stat.ts';
import { call } from './syscall.ts';
import { keptAttributes, setAttribute } from './tree-attributes.ts';

const READ = open_.readOnly | open_.noFollow | open_.nonBlocking | open_.closeOnExec;
const LOOK = open_.path | open_.noFollow | open_.closeOnExec;
const DIRECTORY = open_.readOnly | open_.directory | open_.noFollow | open_.closeOnExec;
const NEW_FILE = open_.writeOnly | open_.create | open_.exclusive | open_.noFollow | open_.closeOnExec;
const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_EMPTY_PATH = 0x1000;
const TARGET_MAX = 4096;
const TYPES: Readonly<Partial<Record<FileKind, number>>> = {
  fifo: 0o010000,
  char: 0o020000,
  block: 0o060000,
  socket: 0o140000,
};

/** Both are open to be read; `to` is empty, and becomes like `from` itself, too. The umask is 0. @throws SystemError */
export function duplicateTree(from: number, to: number): void {
  new Duplication(to).directory(from, to);
}

class Duplication {
  /** The first copy of each file that has several names. */
  readonly #linked = new Map<string, readonly ByteString[]>();
  readonly #top: number;

  constructor(top: number) {
    this.#top = top;
  }

  directory(from: number, to: number, path: readonly ByteString[] = []): void {
    const names: ByteString[] = [];
    visitEntries(from, (name) => names.push(String.fromCharCode(...name)));
    for (const name of names) this.#entry(from, to, name, [...path, name]);
    const stat = fstat(from);
    attributes(from, to, stat);
  }

  #entry(from: number, to: number, byteName: ByteString, path: readonly ByteString[]): void {
    const name = kernelName(byteName);
    const looked = call('openat', from, name, LOOK, 0);
    const stat = fstat(looked);
    try {
      switch (stat.kind) {
        case 'directory':
          this.#subdirectory(from, to, name, path);
          return;
        case 'file':
          this.#file(from, to, name, path);
          return;
        case 'symlink':
          call('symlinkat', readTarget(looked), to, name);
          break;
        default:
          call(
            'mknodat',
            to,
            name,
            (TYPES[stat.kind] ?? 0) | stat.permissions,
            encodeDevice(stat.represents),
          );
      }
      call('fchownat', to, name, stat.uid, stat.gid, AT_SYMLINK_NOFOLLOW);
      call('utimensat', to, name, times(stat), AT_SYMLINK_NOFOLLOW);
    } finally {
      close(looked);
    }
  }

  #subdirectory(from: number, to: number, name: string | Uint8Array, path: readonly ByteString[]): void {
    const source = call('openat', from, name, DIRECTORY, 0);
    call('mkdirat', to, name, 0o700);
    const copy = call('openat', to, name, DIRECTORY, 0);
    this.directory(source, copy, path);
    close(source);
    close(copy);
  }

  #file(from: number, to: number, name: string | Uint8Array, path: readonly ByteString[]): void {
    const source = call('openat', from, name, READ, 0);
    const stat = fstat(source);
    const key = stat.inodeHalves.join();
    const first = stat.links > 1 ? this.#linked.get(key) : undefined;
    if (first === undefined) {
      if (stat.links > 1) this.#linked.set(key, path);
      copyFile(source, call('openat', to, name, NEW_FILE, 0o600), stat);
    } else call('linkat', this.#top, kernelName(first.join('/')), to, name, 0);
    close(source);
  }
}

function copyFile(source: number, copy: number, stat: Stat): void {
  for (const region of dataRegions(source, stat) ?? [{ offset: 0, length: stat.size }]) {
    call('lseek', copy, region.offset, 0);
    readRegion(source, region, (bytes) => writeAll(copy, bytes));
  }
  call('ftruncate', copy, stat.size);
  attributes(source, copy, stat);
  close(copy);
}

/** Owner first: changing it takes set-user-id bits and capabilities away. */
function attributes(from: number, to: number, stat: Stat): void {
  call('fchownat', to, '', stat.uid, stat.gid, AT_EMPTY_PATH);
  call('fchmod', to, stat.permissions);
  for (const [name, value] of keptAttributes(from)) setAttribute(to, name, value);
  call('utimensat', to, null, times(stat), 0);
}

/** With the NUL at its end. */
function readTarget(link: number): Uint8Array {
  const target = new Uint8Array(TARGET_MAX + 1);
  return target.subarray(0, call('readlinkat', link, '', target, TARGET_MAX) + 1);
}

function times({ modified: { seconds, nanoseconds } }: Stat): Uint8Array {
  return new Packer(32).u64(seconds).u64(nanoseconds).u64(seconds).u64(nanoseconds).finish();
}
