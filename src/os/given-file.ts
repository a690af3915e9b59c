import { closeSync, constants, fstatSync, openSync, readlinkSync, readSync, writeFileSync } from 'node:fs';

// Files that somebody names, or leaves where rkt looks for such: any kind of file may be in their place, of any size. A fifo would stop
// the command, a device fill its memory.

type GivenFileErrorCode = 'not-a-file' | 'too-large' | 'not-text';

export class GivenFileError extends Error {
  override readonly name = 'GivenFileError';

  constructor(
    readonly code: GivenFileErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

const { O_CREAT, O_NOCTTY, O_NONBLOCK, O_RDONLY, O_TRUNC, O_WRONLY } = constants;
const CHUNK = 64 * 1024;
/** Character device 1:3, as stat has it. */
const NULL_DEVICE = 0x103;

/** Text in UTF-8. @throws as `readGivenBytes` */
export function readGivenText(path: string, most: number): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readGivenBytes(path, most));
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new GivenFileError('not-text', `${path} is not text in UTF-8`, { cause });
  }
}

/**
 * What is in a regular file, in /dev/null, or in a pipe that the command was started with (`<(...)` of a shell, /dev/stdin), if that is no more than
 * `most` bytes. @throws GivenFileError, and Node's own errors for what cannot be opened
 */
export function readGivenBytes(path: string, most: number): Buffer {
  const fd = openGiven(path);
  try {
    return readUpTo(path, fd, most);
  } finally {
    closeSync(fd);
  }
}

/** Into whatever there is: a device, or a fifo that somebody reads. @throws Node's own errors; ENXIO for a fifo that nobody reads */
export function writeGivenFile(path: string, text: string): void {
  const fd = openSync(path, O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK | O_NOCTTY, 0o666);
  try {
    writeFileSync(fd, text);
  } finally {
    closeSync(fd);
  }
}

function openGiven(path: string): number {
  const fd = openSync(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  try {
    const status = fstatSync(fd);
    // Nothing is a file, too, to who wants none: SSL_CERT_FILE=/dev/null.
    if (status.isFile() || (status.isCharacterDevice() && status.rdev === NULL_DEVICE)) return fd;
    const own = `/proc/self/fd/${fd}`;
    // It has no name in any directory: it can only be our own. Its writer may be slower than we are.
    if (readlinkSync(own).startsWith('pipe:')) {
      const waiting = openSync(own, O_RDONLY);
      closeSync(fd);
      return waiting;
    }
    throw new GivenFileError('not-a-file', `${path} is not a regular file`);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** To its end, not to its size: files of /proc have none. */
function readUpTo(path: string, fd: number, most: number): Buffer {
  const parts: Buffer[] = [];
  for (let total = 0; ; ) {
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK, most + 1 - total));
    const count = readSync(fd, chunk);
    if (count === 0) return Buffer.concat(parts, total);
    total += count;
    if (total > most) throw new GivenFileError('too-large', `${path} has more than ${most} bytes`);
    parts.push(chunk.subarray(0, count));
  }
}
