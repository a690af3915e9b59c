/** The few fields of an ELF file that say whether this machine can start it. */
import { Unpacker } from './bytes.ts';

export interface ElfProgram {
  /** `e_machine`: 62 is x86-64. */
  readonly machine: number;
  /** The loader that a dynamic program asks for. */
  readonly interpreter: string | undefined;
}

const PT_INTERP = 3;
const CLASS_64 = 2;
const LITTLE_ENDIAN = 1;

/** Undefined where `head`, the file's first bytes, is no ELF program. Foreign word sizes and byte orders give no interpreter. */
export function parseElf(head: Uint8Array): ElfProgram | undefined {
  if (head.length < 64 || head[0] !== 0x7f || head[1] !== 0x45 || head[2] !== 0x4c || head[3] !== 0x46)
    return undefined;
  const machine = head[5] === LITTLE_ENDIAN ? new Unpacker(head, 18).u16() : new Unpacker(head, 18).u16be();
  if (head[4] !== CLASS_64 || head[5] !== LITTLE_ENDIAN) return { machine, interpreter: undefined };
  return { machine, interpreter: findInterpreter(head) };
}

function findInterpreter(head: Uint8Array): string | undefined {
  const header = new Unpacker(head, 32);
  const table = header.u64();
  const size = header.skip(14).u16();
  const count = header.u16();
  for (let n = 0; n < count && table + (n + 1) * size <= head.length; n++) {
    const segment = new Unpacker(head, table + n * size);
    if (segment.u32() !== PT_INTERP) continue;
    const offset = segment.skip(4).u64();
    const length = segment.skip(16).u64();
    if (offset + length > head.length) return undefined;
    return new Unpacker(head, offset).text(length);
  }
  return undefined;
}

const MACHINES: Readonly<Record<number, string>> = {
  3: 'x86',
  8: 'mips',
  20: 'powerpc',
  21: 'powerpc64',
  22: 's390',
  40: 'arm',
  62: 'x86-64',
  183: 'aarch64',
  243: 'riscv',
};

export function machineName(machine: number): string {
  return MACHINES[machine] ?? `machine ${machine}`;
}
