import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { pidsOf } from './memory.ts';

const INTERVAL = 10;

/**
 * The memory that a command took with all that it started, in MB: the largest that each process was, together, be it at different times.
 * Looking costs time: not for a run that is timed. Throws when the command fails.
 */
export async function peakMemory([file = '', ...args]: readonly string[]): Promise<number> {
  const child = spawn(file, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = once(child, 'exit');
  const peaks = new Map<number, number>();
  while (child.exitCode === null && child.signalCode === null) {
    for (const pid of pidsOf(child.pid ?? 0)) {
      const peak = peakOf(pid);
      if (peak !== undefined) peaks.set(pid, peak);
    }
    await delay(INTERVAL);
  }
  const [code] = await ended;
  if (code !== 0) throw new Error(`${file} ${args.join(' ')}: exit code ${code}`);
  return [...peaks.values()].reduce((sum, kib) => sum + kib, 0) / 1024;
}

/** In KiB; undefined for a process that has ended. */
function peakOf(pid: number): number | undefined {
  try {
    const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return peak === undefined ? undefined : Number(peak);
  } catch {
    return undefined;
  }
}
