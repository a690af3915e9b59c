/** What is sent over a network, and asked: a stream of bytes whose end is answered, then one question of a byte after the other. */
import { Packer } from '../../src/native/bytes.ts';
import { monotonicMilliseconds, sleep } from '../../src/native/clock.ts';
import { read, writeAll } from '../../src/native/files.ts';
import { attempt, call } from '../../src/native/syscall.ts';

export const PORT = 5201;
export const STREAM_BYTES = 128 * 1024 * 1024;
export const REQUESTS = 2000;
export const PIECE_BYTES = 65536;

const AF_INET = 2;
const SOCK_STREAM = 1;
const PAUSE_MILLISECONDS = 2;
const PATIENCE_MILLISECONDS = 20_000;

export function openSocket(): number {
  return call('socket', AF_INET, SOCK_STREAM, 0);
}

/** struct sockaddr_in of an IPv4 address, at the port. */
export function endpoint(address: string): Uint8Array {
  const packed = new Packer(16).u16(AF_INET).u16be(PORT);
  for (const part of address.split('.')) packed.u8(Number(part));
  return packed.zeros(8).finish();
}

/** The whole load, for who listens at an address. */
export function load(address: string): void {
  const to = endpoint(address);
  const deadline = monotonicMilliseconds() + PATIENCE_MILLISECONDS;
  let fd = openSocket();
  // Right after an interface came up its other end may not be there yet; a socket that was refused is of no use.
  while (attempt('connect', fd, to, to.length) < 0) {
    call('close', fd);
    if (monotonicMilliseconds() > deadline) throw new RangeError(`nobody listens at ${address}`);
    sleep(PAUSE_MILLISECONDS);
    fd = openSocket();
  }
  const piece = new Uint8Array(PIECE_BYTES);
  for (let left = STREAM_BYTES; left > 0; left -= piece.length) writeAll(fd, piece);
  const byte = new Uint8Array(1);
  read(fd, byte);
  for (let left = REQUESTS; left > 0; left--) {
    writeAll(fd, byte);
    if (read(fd, byte) !== 1) throw new RangeError('no answer');
  }
}
