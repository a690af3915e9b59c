/** The same QEMU as a restored pod's, with nothing of a pod and held before its first instruction: what it costs to have one at all. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { truncateSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { sizeMachine } from '../../stage1-kvm/size.ts';
import { restoredArguments } from '../../stage1-kvm/template-arguments.ts';
import { memoryOf, type ProcessMemory } from '../measure/memory.ts';
import { floorAccelerator } from './machine.ts';

const SETTLE_MS = 2000;

/** `directory` is for its memory's file, which it never touches. */
export async function measureHeldQemu(directory: string): Promise<ProcessMemory> {
  const accelerator = await floorAccelerator();
  const size = sizeMachine([{ isolators: [] }], cpus().length, accelerator);
  const memory = join(directory, 'memory');
  writeFileSync(memory, '');
  truncateSync(memory, size.memoryMiB * 1024 * 1024);
  const pod = { uuid: '00000000-0000-4000-8000-000000000000', hasShare: false, deviceArguments: [] };
  const args = restoredArguments({ accelerator, size }, pod).map((word) =>
    word.replace(/^socket,(id=\w+),fd=\d+$/, 'null,$1').replace(/mem-path=[^,]+/, `mem-path=${memory}`),
  );
  const child = spawn('qemu-system-x86_64', ['-S', ...args.slice(0, args.indexOf('-incoming'))], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  try {
    await delay(SETTLE_MS);
    return memoryOf(child.pid ?? 0);
  } finally {
    child.kill('SIGTERM');
    if (child.exitCode === null) await once(child, 'exit');
  }
}
