import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { tinyImages } from '../test/support/images.ts';
import { BenchHome } from './measure/home.ts';
import { familyOf, type ProcessMemory } from './measure/memory.ts';
import { printGoal, printTable } from './measure/report.ts';

/** Resident memory of the supervisor, MB. */
const GOAL = 4;
const IDLE_MS = 2000;

/** Prints the guest's memory, then does nothing. */
const IDLE = 'free -k | awk \'$1 == "Mem:" { print $2, $3, $NF }\'; sleep 100000';

const home = new BenchHome();
const image = (await tinyImages()).aci.plain;
const [file = '', ...args] = home.argv(['run', '--net=none', image, '--exec=/bin/sh', '--', '-c', IDLE]);
const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
try {
  const [line] = await once(createInterface(child.stdout), 'line');
  await sleep(IDLE_MS);
  const family = familyOf(child.pid ?? 0);
  printTable([['process', 'pid', 'RSS', 'PSS'], ...family.map(row)]);
  const [total, used, available] = String(line).split(' ').map(Number);
  printTable([
    ['guest', 'total', 'used', 'available'],
    ['', megabytes(total), megabytes(used), megabytes(available)],
  ]);
  printGoal('resident memory of the supervisor', (family[0]?.rss ?? Number.NaN) / 1024, GOAL, ' MB');
  const node = family.filter(({ program }) => program === 'node').length;
  printGoal('node processes of the pod', node, 0);
} finally {
  child.kill('SIGTERM');
  if (child.exitCode === null) await once(child, 'exit');
  await home.close();
}

function row({ program, pid, rss, pss }: ProcessMemory): string[] {
  return [program, `${pid}`, megabytes(rss), megabytes(pss)];
}

function megabytes(kib: number | undefined): string {
  return `${((kib ?? Number.NaN) / 1024).toFixed(1)} MB`;
}
