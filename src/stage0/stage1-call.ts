import type { Entrypoint } from '../abi/stage1.ts';
import { type Call, failureOf } from '../os/call.ts';
import { Stage0Error } from './errors.ts';

/** A program of a pod's stage1 that has an end, other than `run`; a stage1 that hangs must not keep its caller. */
export interface Stage1Call extends Omit<Call, 'cwd'> {
  readonly name: Entrypoint;
}

/** Runs it in the pod's directory. Throws Stage0Error `bad-stage1` with what it has said. */
export async function callStage1(pod: string, { name, ...call }: Stage1Call): Promise<void> {
  const failure = await failureOf({ ...call, cwd: pod });
  if (failure !== undefined)
    throw new Stage0Error('bad-stage1', `${name} of the pod's stage1 failed: ${failure}`);
}
