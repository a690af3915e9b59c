import { execFileSync } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { type HostMemory, hostMemory } from './memory.ts';

/** The kernel takes namespaces and file systems apart when all has ended. */
const SETTLE_MS = 5000;

export interface Left extends HostMemory {
  /** Of the data directory, in KiB. */
  readonly disk: number;
}

/** What is taken when no pod runs. */
export async function whatIsLeft(dataDirectory: string): Promise<Left> {
  await delay(SETTLE_MS);
  const disk = Number.parseInt(execFileSync('du', ['-sk', dataDirectory], { encoding: 'utf8' }), 10);
  return { ...hostMemory(), disk };
}
