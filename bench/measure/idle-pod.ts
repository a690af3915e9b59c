import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { familyOf, type ProcessMemory } from './memory.ts';

const IDLE_MS = 4000;
/** Prints the guest's memory, then does nothing. */
const IDLE = 'free -k | awk \'$1 == "Mem:" { print $2, $3, $NF }\'; exec sleep 100000';

/** A pod that has started and does nothing. */
export class IdlePod {
  readonly pid: number;
  /** The guest's memory, in KiB: all, used, available. */
  readonly inside: readonly number[];
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, inside: readonly number[]) {
    this.#child = child;
    this.pid = child.pid ?? 0;
    this.inside = inside;
  }

  /** `command` runs what it is given in a pod. */
  static async start(command: (...args: string[]) => readonly string[]): Promise<IdlePod> {
    const [file = '', ...args] = command('--exec=/bin/sh', '--', '-c', IDLE);
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    const [line] = await once(createInterface(child.stdout), 'line');
    // Until what its guest has freed has gone back to the host as well.
    await delay(IDLE_MS);
    return new IdlePod(child, String(line).split(' ').map(Number));
  }

  memory(): ProcessMemory[] {
    return familyOf(this.pid);
  }

  /** With the guest's memory, in KiB. */
  total(): number {
    return this.memory().reduce((sum, { pss, guest }) => sum + pss + guest, 0);
  }

  async end(): Promise<void> {
    this.#child.kill('SIGTERM');
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit');
  }
}
