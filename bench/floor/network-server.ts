/** Takes one load, at any address; prints the milliseconds of the stream, and those of the questions. */
import { monotonicMilliseconds } from '../../src/native/clock.ts';
import { exit, utf8Encode } from '../../src/native/engine.ts';
import { read, writeAll } from '../../src/native/files.ts';
import { call } from '../../src/native/syscall.ts';
import { endpoint, openSocket, PIECE_BYTES, REQUESTS, STREAM_BYTES } from './network-load.ts';

const STDOUT = 1;
const [SOL_SOCKET, SO_REUSEADDR] = [1, 2];

const socket = openSocket();
call('setsockopt', socket, SOL_SOCKET, SO_REUSEADDR, new Uint8Array([1, 0, 0, 0]), 4);
// The address may come later.
const own = endpoint('0.0.0.0');
call('bind', socket, own, own.length);
call('listen', socket, 1);
writeAll(STDOUT, utf8Encode('listens\n'));
const connection = call('accept4', socket, null, null, 0);

const piece = new Uint8Array(PIECE_BYTES);
let left = STREAM_BYTES;
let started: number | undefined;
while (left > 0) {
  const count = read(connection, piece);
  if (count === 0) exit(1);
  started ??= monotonicMilliseconds();
  left -= count;
}
const streamed = monotonicMilliseconds();
writeAll(connection, new Uint8Array(1));

let first: number | undefined;
for (let asked = 0; asked < REQUESTS; asked++) {
  if (read(connection, piece) === 0) exit(1);
  first ??= monotonicMilliseconds();
  writeAll(connection, piece.subarray(0, 1));
}
const answered = monotonicMilliseconds();
writeAll(STDOUT, utf8Encode(`${streamed - (started ?? 0)} ${answered - (first ?? 0)}\n`));
