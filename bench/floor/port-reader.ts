/** Reads a port, a unix socket whose path it is given, into /dev/null; prints the milliseconds from the first byte to the last. */

import { monotonicMilliseconds } from '../../src/native/clock.ts';
import { argv, exit, utf8Encode } from '../../src/native/engine.ts';
import { unless } from '../../src/native/errors.ts';
import { open, open_, read, writeAll } from '../../src/native/files.ts';
import { connectTo } from '../../src/native/sockets.ts';
import { DATA_BYTES, WRITE_BYTES } from './port-load.ts';

const STDOUT = 1;
// QEMU names its socket before it listens there.
let port: number | undefined;
while (port === undefined)
  port = unless(['ECONNREFUSED'], () => connectTo('stream', { kind: 'path', path: argv()[1] ?? '' }));
const nowhere = open('/dev/null', open_.writeOnly);
const buffer = new Uint8Array(WRITE_BYTES);
let left = DATA_BYTES;
let first: number | undefined;
while (left > 0) {
  const count = read(port, buffer);
  if (count === 0) break;
  first ??= monotonicMilliseconds();
  writeAll(nowhere, buffer.subarray(0, count));
  left -= count;
}
writeAll(STDOUT, utf8Encode(`${monotonicMilliseconds() - (first ?? 0)}\n`));
exit(left === 0 ? 0 : 1);
