import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { isGuestMemory, type Mapping, mappingsOf } from '../../test/support/mappings.ts';

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

export function memoryOf(pid: number): ProcessMemory {
  const mappings = mappingsOf(pid);
  const sum = (field: 'rss' | 'pss', of: readonly Mapping[]) =>
    of.reduce((all, mapping) => all + mapping[field], 0);
  const own = mappings.filter((mapping) => !isGuestMemory(mapping));
  return {
    pid,
    program: basename(readlinkSync(`/proc/${pid}/exe`)),
    rss: sum('rss', own),
    pss: sum('pss', own),
    guest: sum('pss', mappings.filter(isGuestMemory)),
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
