import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';

/** Resident memory of a process in KiB; PSS shares what is shared among those that share it. */
export interface ProcessMemory {
  readonly pid: number;
  readonly program: string;
  readonly rss: number;
  readonly pss: number;
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

function memoryOf(pid: number): ProcessMemory {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(rollup)?.[1]);
  return { pid, program: basename(readlinkSync(`/proc/${pid}/exe`)), rss: field('Rss'), pss: field('Pss') };
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
