/**
 * How a QEMU has a template's memory as its own without being able to write to the template. QEMU opens a file of memory for writing even
 * where it maps it for itself alone; so the calls that ask for `O_RDWR` and nothing else are answered here: with 0, which is the fd of the
 * template's memory, open for reading. (The other such call is for /dev/null, to see whether there are locks, and closes it again: fd 0
 * stays open.) What its guest writes goes to pages of QEMU's own.
 *
 * What its guest gives back, QEMU would take out of the file, too. Told that this has been done, it takes it from its own pages. Pure.
 */
import { Assembly } from '../src/supervisor/seccomp/assembly.ts';

/** Offsets in struct seccomp_data; of an argument, an `int`, the low half is all that counts. */
const NUMBER = 0;
const ARCHITECTURE = 4;
const FIRST_ARGUMENT = 16;
const THIRD_ARGUMENT = 32;

const X86_64 = 0xc000003e;
const CLOSE = 3;
const OPENAT = 257;
const FALLOCATE = 285;
const O_RDWR = 2;
/** Where QEMU has the template's memory. */
export const MEMORY_FD = 0;

const ALLOW = 0x7fff0000;
/** An error that is none: the call is not done, and returns 0. */
const DONE = 0x00050000;

/** An array of struct sock_filter. */
export function memoryFilter(): Uint8Array {
  const program = new Assembly();
  const allow = program.return(ALLOW);
  const done = program.return(DONE);
  const opens = program.load(THIRD_ARGUMENT, undefined, program.compare('equal', O_RDWR, done, allow));
  const ofMemory = program.load(FIRST_ARGUMENT, undefined, program.compare('equal', MEMORY_FD, done, allow));
  const frees = program.compare('equal', FALLOCATE, ofMemory, allow);
  const closes = program.compare('equal', CLOSE, ofMemory, frees);
  const calls = program.load(NUMBER, undefined, program.compare('equal', OPENAT, opens, closes));
  program.load(ARCHITECTURE, undefined, program.compare('equal', X86_64, calls, allow));
  return program.finish();
}
