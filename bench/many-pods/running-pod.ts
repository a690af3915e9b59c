import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

export interface RunningPod {
  /** Returns when its supervisor has ended by the signal. */
  end(signal: NodeJS.Signals): Promise<void>;
}

/** A pod whose app sleeps. */
export async function startPod(
  rkt: (args: readonly string[]) => string[],
  image: string,
): Promise<RunningPod> {
  const script = 'echo up; sleep 1d';
  const [file = '', ...args] = rkt(['run', '--net=none', image, '--exec=/bin/sh', '--', '-c', script]);
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = once(child, 'exit');
  await once(child.stdout, 'data');
  // What a machine does just after its start is not to be measured.
  await delay(500);
  return {
    end: async (signal) => {
      child.kill(signal);
      await ended;
    },
  };
}
