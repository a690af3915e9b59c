/** Whole files at once. */
import { concat } from './bytes.ts';
import { utf8Decode, utf8Encode } from './engine.ts';
import { SystemError, unless } from './errors.ts';
import { AT_FDCWD, File, open_, read, writeAll } from './files.ts';

/** More than any file that is read whole should hold. */
const DEFAULT_MAX = 16 * 1024 * 1024;
const CHUNK = 65536;
const EFBIG = 27;

export function readFile(path: string, max = DEFAULT_MAX, directory = AT_FDCWD): Uint8Array {
  using file = File.open(path, open_.readOnly, 0, directory);
  const bytes = readToEnd(file.fd, max);
  if (bytes === undefined) throw new SystemError('read', EFBIG, { path });
  return bytes;
}

export function readText(path: string, max = DEFAULT_MAX, directory = AT_FDCWD): string {
  return utf8Decode(readFile(path, max, directory));
}

/** Undefined where there is no such file. */
export function readTextIfPresent(path: string, max = DEFAULT_MAX, directory = AT_FDCWD): string | undefined {
  return unless(['ENOENT', 'ENOTDIR'], () => readText(path, max, directory));
}

/** Large, as the kernel tells what changes meanwhile piece by piece; and one for all, as each would come in new pages. */
let space: Uint8Array | undefined;

/** All that is left in an fd; undefined when that is more than `max` bytes. */
export function readToEnd(fd: number, max = DEFAULT_MAX): Uint8Array | undefined {
  const parts: Uint8Array[] = [];
  space ??= new Uint8Array(CHUNK);
  const buffer = space.subarray(0, Math.min(CHUNK, max + 1));
  for (let total = 0; ; ) {
    const count = read(fd, buffer);
    if (count === 0) return concat(parts);
    total += count;
    if (total > max) return undefined;
    parts.push(buffer.slice(0, count));
  }
}

/** Into the file as it is: for the kernel's control files, and for files nobody else reads. */
export function writeFile(
  path: string,
  content: string | Uint8Array,
  mode = 0o666,
  directory = AT_FDCWD,
): void {
  const flags = open_.writeOnly | open_.create | open_.truncate;
  using file = File.open(path, flags, mode, directory);
  writeAll(file.fd, toBytes(content));
}

/** One write to a file that exists, such as those of /proc, /sys and cgroups, with its error as it comes. */
export function writeControl(path: string, content: string, directory = AT_FDCWD): void {
  using file = File.open(path, open_.writeOnly, 0, directory);
  writeAll(file.fd, utf8Encode(content));
}

export function appendFile(path: string, content: string | Uint8Array, mode = 0o666): void {
  using file = File.open(path, open_.writeOnly | open_.create | open_.append, mode);
  writeAll(file.fd, toBytes(content));
}

function toBytes(content: string | Uint8Array): Uint8Array {
  return typeof content === 'string' ? utf8Encode(content) : content;
}
