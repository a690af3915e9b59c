import { readFileSync, writeFileSync } from 'node:fs';

/** Lets the peak of this process's resident memory begin anew (proc(5), clear_refs). */
export function resetPeakMemory(): void {
  writeFileSync('/proc/self/clear_refs', '5');
}

/** The largest resident memory since then, in MB. */
export function peakMemory(): number {
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return Number(kib) / 1024;
}
