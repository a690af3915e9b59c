import { writeFileSync } from 'node:fs';

/** The ways from a program into a kernel of x86-64. */
export type Way = 'native' | 'x32' | 'i386';

/** `mkdir` by each of them, and then the address of the path. */
const CALLS: Readonly<
  Record<Way, { readonly before: readonly number[]; readonly after: readonly number[] }>
> = {
  // mov eax, 83; mov edi, PATH; mov esi, 0755; syscall
  native: { before: [0xb8, 83, 0, 0, 0, 0xbf], after: [0xbe, 0xed, 1, 0, 0, 0x0f, 0x05] },
  x32: { before: [0xb8, 83, 0, 0, 0x40, 0xbf], after: [0xbe, 0xed, 1, 0, 0, 0x0f, 0x05] },
  // mov eax, 39; mov ebx, PATH; mov ecx, 0755; int 0x80
  i386: { before: [0xb8, 39, 0, 0, 0, 0xbb], after: [0xb9, 0xed, 1, 0, 0, 0xcd, 0x80] },
};

/** neg eax; mov edi, eax; mov eax, 231; syscall: the error is the exit code. */
const EXIT = [0xf7, 0xd8, 0x89, 0xc7, 0xb8, 231, 0, 0, 0, 0x0f, 0x05];

const BASE = 0x400000;
const HEADERS = 64 + 56;

/** Writes a program that makes the directory `path` by a way that no compiler would take, and ends with the number of the error. */
export function writeCallProgram(file: string, way: Way, path: string): void {
  const { before, after } = CALLS[way];
  const text = Buffer.from(`${path}\0`);
  const length = before.length + 4 + after.length + EXIT.length;
  const address = Buffer.alloc(4);
  address.writeUInt32LE(BASE + HEADERS + length);
  const code = Buffer.concat([...[before, address, after, EXIT].map((part) => Buffer.from(part)), text]);
  writeFileSync(file, Buffer.concat([headers(code.length), code]), { mode: 0o755 });
}

/** Of a static ELF with one segment. */
function headers(codeBytes: number): Buffer {
  const elf = Buffer.alloc(HEADERS);
  elf.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  elf.writeUInt16LE(2, 16);
  elf.writeUInt16LE(62, 18);
  elf.writeUInt32LE(1, 20);
  elf.writeBigUInt64LE(BigInt(BASE + HEADERS), 24);
  elf.writeBigUInt64LE(64n, 32);
  elf.writeUInt16LE(64, 52);
  elf.writeUInt16LE(56, 54);
  elf.writeUInt16LE(1, 56);
  // PT_LOAD, to be read and executed.
  elf.writeUInt32LE(1, 64);
  elf.writeUInt32LE(5, 68);
  for (const at of [80, 88]) elf.writeBigUInt64LE(BigInt(BASE), at);
  for (const at of [96, 104]) elf.writeBigUInt64LE(BigInt(HEADERS + codeBytes), at);
  elf.writeBigUInt64LE(0x1000n, 112);
  return elf;
}
