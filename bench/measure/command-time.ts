import { setTimeout as delay } from 'node:timers/promises';
import type { Subject } from './samples.ts';
import { timed } from './timed.ts';

/** The kernel takes namespaces apart when all has ended: the next is not to wait for what the last has left. */
const SETTLE_MS = 250;

/** The time of commands, one after the other, to their exit. */
export function commandOf(name: string, ...commands: readonly (readonly string[])[]): Subject {
  return {
    name,
    measure: async () => {
      let sum = 0;
      for (const command of commands) sum += (await timed(command)).exit;
      await delay(SETTLE_MS);
      return [sum];
    },
  };
}
