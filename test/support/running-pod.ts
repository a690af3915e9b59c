import { afterAll } from 'vitest';
import type { RunningCommand } from './command.ts';
import { TestSupportError } from './error.ts';
import { eventually } from './polling.ts';
import { type RktHome, type RktOptions, savedUuid } from './rkt.ts';

export interface RunningPod {
  readonly uuid: string;
  readonly command: RunningCommand;
}

let count = 0;

/** `rkt run ARGS`, whose apps have all been started. It runs until the test ends it, or the file is done. */
export function startPod(
  rkt: RktHome,
  args: readonly string[],
  options: Pick<RktOptions, 'insecure' | 'env'> = {},
): Promise<RunningPod> {
  return start(rkt, ['run'], args, options);
}

/** `rkt app sandbox ARGS`, likewise. */
export function startSandbox(rkt: RktHome, args: readonly string[] = []): Promise<RunningPod> {
  return start(rkt, ['app', 'sandbox'], args);
}

async function start(
  rkt: RktHome,
  words: readonly string[],
  args: readonly string[],
  options: Pick<RktOptions, 'insecure' | 'env'> = {},
): Promise<RunningPod> {
  const file = rkt.path(`running-${++count}`);
  const command = rkt.start([...words, '--net=none', `--uuid-file-save=${file}`, ...args], {
    ...options,
    timeoutSeconds: 600,
  });
  const uuid = await eventually('the pod has a UUID', () => {
    if (command.ended) throw new TestSupportError('BAD_OUTPUT', `rkt run ended: ${command.stderr}`);
    return savedUuid(file);
  });
  await rkt.output(['status', '--wait-ready', uuid]);
  return { uuid, command };
}

/** Ends the pod and waits for that. */
export async function endPod({ command }: RunningPod): Promise<void> {
  command.signal('SIGTERM');
  await command.finished;
}

/** Pods that are ended when the tests of a file are done. To be called after `useRkt`, which looks at what is left. */
export function useRunningPods(): RunningPod[] {
  const pods: RunningPod[] = [];
  afterAll(async () => void (await Promise.all(pods.map(endPod))));
  return pods;
}
