/**
 * Files by their handles, as who has rights over a kernel asks for them: `handles of PATH` prints the type and the bytes of one;
 * `handles open MOUNT TYPE BYTES` opens it; `handles forge MOUNT NODES GENERATIONS` opens whatever such numbers name in the layouts of
 * common file systems. Printed is `inode N` for each file that was opened, and else the names of the errors, each once.
 */
import { Packer, Unpacker } from '../../../src/native/bytes.ts';
import { argv, exit, rawSyscall, utf8Encode } from '../../../src/native/engine.ts';
import { errnoName } from '../../../src/native/errno.ts';
import { AT_FDCWD, close, open, open_, writeAll } from '../../../src/native/files.ts';
import { fstat } from '../../../src/native/stat.ts';
import { callsOf } from '../../../src/supervisor/seccomp/architectures.ts';

const MAX_HANDLE = 128;

/** `enum fid_type`: 32-bit inodes and FUSE's nodes, each without and with a parent. */
const FORGED = [
  { type: 1, words: (node: number, generation: number) => [node, generation] },
  { type: 2, words: (node: number, generation: number) => [node, generation, node, generation] },
  { type: 0x81, words: (node: number, generation: number) => [0, node, generation] },
  { type: 0x82, words: (node: number, generation: number) => [0, node, generation, 0, 1, 0] },
] as const;

function numberOf(name: string): number {
  const number = callsOf('x86-64').numbers.get(name);
  if (number === undefined) throw new Error(`no system call is called ${name}`);
  return number;
}

function fileHandle(type: number, content: Uint8Array): Uint8Array {
  return new Packer().u32(content.length).u32(type).bytes(content).finish();
}

function handleOf(path: string): string {
  const buffer = fileHandle(0, new Uint8Array(MAX_HANDLE));
  const result = rawSyscall(numberOf('name_to_handle_at'), AT_FDCWD, path, buffer, new Uint8Array(4), 0);
  if (result < 0) return errnoName(-result);
  const fields = new Unpacker(buffer);
  const [length, type] = [fields.u32(), fields.u32()];
  const digits = [...fields.take(length)].map((byte) => byte.toString(16).padStart(2, '0'));
  return `${type} ${digits.join('')}`;
}

function tryHandle(mount: number, type: number, content: Uint8Array): string {
  const fd = rawSyscall(numberOf('open_by_handle_at'), mount, fileHandle(type, content), open_.readOnly);
  if (fd < 0) return errnoName(-fd);
  const { inode } = fstat(fd);
  close(fd);
  return `inode ${inode}`;
}

function forge(mount: number, nodes: number, generations: number): string[] {
  const seen = new Set<string>();
  for (const { type, words } of FORGED)
    for (let node = 0; node <= nodes; node++)
      for (let generation = 0; generation < generations; generation++) {
        const content = words(node, generation).reduce((packer, word) => packer.u32(word), new Packer());
        seen.add(tryHandle(mount, type, content.finish()));
      }
  return [...seen];
}

function parseHex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));
}

function answer([verb, path = '', first = '', second = '']: readonly string[]): string[] {
  if (verb === 'of') return [handleOf(path)];
  const mount = open(path, open_.directory);
  return verb === 'open'
    ? [tryHandle(mount, Number(first), parseHex(second))]
    : forge(mount, Number(first), Number(second));
}

writeAll(1, utf8Encode(`${answer(argv().slice(1)).join('\n')}\n`));
exit(0);
