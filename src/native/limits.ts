/** Resource limits and system call filters: what a process may use and ask for. */
import { Packer, Unpacker } from './bytes.ts';
import { addressOf } from './engine.ts';
import { call } from './syscall.ts';

/** RLIMIT_*, by name. */
export const resourceNumbers = {
  cpu: 0,
  fsize: 1,
  data: 2,
  stack: 3,
  core: 4,
  rss: 5,
  nproc: 6,
  nofile: 7,
  memlock: 8,
  as: 9,
  locks: 10,
  sigpending: 11,
  msgqueue: 12,
  nice: 13,
  rtprio: 14,
  rttime: 15,
} as const;

export type Resource = keyof typeof resourceNumbers;

/** In the resource's own unit; Infinity is no limit. */
export interface Limit {
  readonly soft: number;
  readonly hard: number;
}

/** By number, those of later kernels too. */
export function setLimit(resource: Resource | number, { soft, hard }: Limit, pid = 0): void {
  call('prlimit64', pid, numberOf(resource), new Packer(16).u64(soft).u64(hard).finish(), null);
}

export function getLimit(resource: Resource | number, pid = 0): Limit {
  const out = new Uint8Array(16);
  call('prlimit64', pid, numberOf(resource), null, out);
  const fields = new Unpacker(out);
  return { soft: fields.u64(), hard: fields.u64() };
}

/** Of its number; the number itself where it has none. */
export function limitName(number: number): string {
  return Object.entries(resourceNumbers).find(([, known]) => known === number)?.[0] ?? `${number}`;
}

function numberOf(resource: Resource | number): number {
  return typeof resource === 'number' ? resource : resourceNumbers[resource];
}

const SECCOMP_SET_MODE_FILTER = 1;
const INSTRUCTION_BYTES = 8;

/**
 * Filters the system calls of this process and its children, for good. `program` is an array of struct
 * sock_filter as the kernel takes it; without CAP_SYS_ADMIN, no-new-privileges must be set before.
 */
export function installSeccomp(program: Uint8Array, flags = 0): void {
  if (program.length === 0 || program.length % INSTRUCTION_BYTES !== 0) {
    throw new RangeError(`a seccomp program of ${program.length} bytes is no list of instructions`);
  }
  const prog = new Packer(16)
    .u16(program.length / INSTRUCTION_BYTES)
    .zeros(6)
    .u64(addressOf(program))
    .finish();
  call('seccomp', SECCOMP_SET_MODE_FILTER, flags, prog);
}
