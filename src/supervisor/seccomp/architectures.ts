/** The ways into the kernel that a filter tells apart: each has numbers of its own for the calls. */
import { ARM64_CALLS } from './calls-arm64.ts';
import { I386_CALLS } from './calls-i386.ts';
import { X86_64_CALLS } from './calls-x86-64.ts';

export type Architecture = 'x86-64' | 'i386' | 'arm64';

/** What this program, and every guest that it runs, is compiled for. */
export const OWN_ARCHITECTURE: Architecture = 'x86-64';

interface Description {
  /** AUDIT_ARCH_* of <linux/audit.h>, which the kernel tells a filter. */
  readonly audit: number;
  readonly calls: string;
  /** Numbers from here on are those of another convention, which the kernel tells by nothing else: x32. */
  readonly end: number;
  /** Others that a machine of this kind runs programs of. */
  readonly also: readonly Architecture[];
  /** In profiles: the name of the Open Container Initiative, and that of Go. */
  readonly names: readonly [oci: string, go: string];
}

const X32_BIT = 0x40000000;
const ALL_NUMBERS = 2 ** 32;

export const ARCHITECTURES: Readonly<Record<Architecture, Description>> = {
  'x86-64': {
    audit: 0xc000003e,
    calls: X86_64_CALLS,
    end: X32_BIT,
    also: ['i386'],
    names: ['SCMP_ARCH_X86_64', 'amd64'],
  },
  i386: { audit: 0x40000003, calls: I386_CALLS, end: ALL_NUMBERS, also: [], names: ['SCMP_ARCH_X86', 'x86'] },
  // 32-bit programs of ARM have no table here, and get the answer for calls of a foreign convention.
  arm64: {
    audit: 0xc00000b7,
    calls: ARM64_CALLS,
    end: ALL_NUMBERS,
    also: [],
    names: ['SCMP_ARCH_AARCH64', 'arm64'],
  },
};

export interface CallTable {
  readonly numbers: ReadonlyMap<string, number>;
  /** The first number that no call of the table has, nor any after it. */
  readonly end: number;
}

const tables = new Map<Architecture, CallTable>();

/** Read when it is first asked for. */
export function callsOf(architecture: Architecture): CallTable {
  const known = tables.get(architecture);
  if (known !== undefined) return known;
  const table = readTable(ARCHITECTURES[architecture].calls);
  tables.set(architecture, table);
  return table;
}

/** A number, and the names from there on. */
function readTable(text: string): CallTable {
  const numbers = new Map<string, number>();
  let number = 0;
  for (const word of text.trim().split(/\s/)) {
    const first = word.charCodeAt(0);
    if (first >= ZERO && first <= NINE) number = Number(word);
    else numbers.set(word, number++);
  }
  return { numbers, end: number };
}

const ZERO = 0x30;
const NINE = 0x39;

/** Names of calls that other kinds of machine have, and these never had. */
const ELSEWHERE: ReadonlySet<string> = new Set(
  [
    'arm_fadvise64_64 arm_sync_file_range breakpoint cachectl cacheflush kern_features memory_ordering',
    'multiplexer pciconfig_iobase pciconfig_read pciconfig_write recv riscv_flush_icache riscv_hwprobe rtas',
    's390_guarded_storage s390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr s390_sthyi send set_tls',
    'spu_create spu_run subpage_prot swapcontext switch_endian sync_file_range2 sys_debug_setcontext syscall',
    'sysmips timerfd usr26 usr32 utrap_install',
  ].flatMap((line) => line.split(' ')),
);

/** Whether some kind of machine has a call of this name, as far as is known here. */
export function isKnownCall(name: string): boolean {
  const all = Object.keys(ARCHITECTURES) as Architecture[];
  return ELSEWHERE.has(name) || all.some((architecture) => callsOf(architecture).numbers.has(name));
}
