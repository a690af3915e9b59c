/** The primitive of compiled programs under Node: system calls through koffi, so that unit tests need no build. */
import koffi from 'koffi';
import type { Argument, Engine } from '../../src/native/engine.ts';

const libc = koffi.load('libc.so.6');
// Declared with six words: the calling convention of a variadic function is the same for integers.
const syscall = libc.func(
  'long syscall(long number, int64_t a, int64_t b, int64_t c, int64_t d, int64_t e, int64_t f)',
);

const words = 6;

/** A view of the same memory that koffi gives the address of. */
function view(buffer: ArrayBuffer | Uint8Array): Uint8Array {
  return buffer instanceof Uint8Array ? buffer : new Uint8Array(buffer);
}

function addressOf(buffer: ArrayBuffer | Uint8Array): number {
  const bytes = view(buffer);
  // A small typed array lives inside V8's heap, where it may move, until its buffer is asked for.
  void bytes.buffer;
  return bytes.length === 0 ? 0 : Number(koffi.address(bytes));
}

function toWord(argument: Argument, keep: Uint8Array[]): number {
  if (argument === null) return 0;
  if (typeof argument === 'number') return argument;
  if (typeof argument !== 'string') return addressOf(argument);
  if (argument.includes('\0')) throw new TypeError('a string for the kernel holds a NUL');
  const bytes = Buffer.from(`${argument}\0`);
  keep.push(bytes);
  return addressOf(bytes);
}

export const koffiEngine: Engine = {
  argv: ['test'],
  environ: Object.entries(process.env).map(([name, value]) => `${name}=${value}`),
  syscall(number, ...args) {
    const keep: Uint8Array[] = [];
    const filled = [...args.map((argument) => toWord(argument, keep)), 0, 0, 0, 0, 0, 0].slice(0, words);
    const result = Number(syscall(number, ...filled));
    return result === -1 ? -koffi.errno() : result;
  },
  address: addressOf,
  encode: (text) => Uint8Array.from(Buffer.from(text)).buffer,
  decode: (bytes) => Buffer.from(view(bytes)).toString(),
  settle() {},
};
