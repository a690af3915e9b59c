import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';

/** Resident memory of a process in KiB; PSS shares what is shared among those that share it. A guest's memory is counted apart. */
export interface ProcessMemory {
  readonly pid: number;
  readonly program: string;
  readonly rss: number;
  readonly pss: number;
  /** The PSS of the guest's memory. */
  readonly guest: number;
}

/** A process and all that descend from it. */
export function familyOf(pid: number): ProcessMemory[] {
  return pidsOf(pid).map(memoryOf);
}

export function pidsOf(pid: number): number[] {
  const parents = new Map(pids().map((each) => [each, parentOf(each)]));
  const below = (root: number): number[] => [
    root,
    ...[...parents].filter(([, parent]) => parent === root).flatMap(([child]) => below(child)),
  ];
  return below(pid);
}

/** What QEMU calls it: a file in memory of a machine that boots, the copy that a restored one has, or a template's. */
const GUEST = /^\S+ \S+ \S+ \S+ \d+ +\/(memfd:memory-backend|memory\/ram$|\S*\/memory$)/;
const MAPPING = /^[0-9a-f]+-[0-9a-f]+ /m;

export function memoryOf(pid: number): ProcessMemory {
  const mappings = readFileSync(`/proc/${pid}/smaps`, 'utf8').split(new RegExp(`(?=${MAPPING.source})`, 'm'));
  const sum = (field: string, of: readonly string[]) =>
    of.reduce((all, text) => all + Number(new RegExp(`^${field}: +(\\d+) kB`, 'm').exec(text)?.[1] ?? 0), 0);
  const isGuests = (text: string) => GUEST.test(text.slice(0, text.indexOf('\n')));
  const own = mappings.filter((text) => !isGuests(text));
  return {
    pid,
    program: basename(readlinkSync(`/proc/${pid}/exe`)),
    rss: sum('Rss', own),
    pss: sum('Pss', own),
    guest: sum('Pss', mappings.filter(isGuests)),
  };
}

export interface HostMemory {
  /** In KiB: what is free, or would be if it were needed. */
  readonly available: number;
  /** What the kernel keeps for itself and cannot give back. */
  readonly slab: number;
}

export function hostMemory(): HostMemory {
  const text = readFileSync('/proc/meminfo', 'utf8');
  const field = (name: string) => Number(new RegExp(`^${name}: +(\\d+) kB`, 'm').exec(text)?.[1]);
  return { available: field('MemAvailable'), slab: field('SUnreclaim') };
}

function pids(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function parentOf(pid: number): number {
  try {
    return Number(/^\d+ \(.*\) \S (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1]);
  } catch {
    return Number.NaN;
  }
}
