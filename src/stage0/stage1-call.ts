import type { Entrypoint } from '../abi/stage1.ts';
import { Stage0Error } from './errors.ts';

/** A program of a pod's stage1 that has an end, other than `run`. */
export interface Stage1Call {
  readonly name: Entrypoint;
  readonly path: string;
  readonly args: readonly string[];
  /** Milliseconds after which it is killed: a stage1 that hangs must not keep its caller. */
  readonly timeout: number;
}

/** Runs it in the pod's directory. Throws Stage0Error `bad-stage1` with what it has said. */
export async function callStage1(pod: string, { name, path, args, timeout }: Stage1Call): Promise<void> {
  const { run } = await import('../os/run.ts');
  const options = { cwd: pod, all: true, reject: false, stdin: 'ignore', timeout } as const;
  const { failed, all, shortMessage } = await run(path, args, options);
  if (failed)
    throw new Stage0Error('bad-stage1', `${name} of the pod's stage1 failed: ${all?.trim() || shortMessage}`);
}
