import type { PodUUID } from '../appc/index.ts';
import { askSupervisor } from './control.ts';
import type { Host } from './host.ts';
import { runningPod } from './running.ts';

const ANSWER_MILLISECONDS = 30_000;

/**
 * Lets a running pod stand still, or go on; one that does already stays so. Throws PodError, Stage0Error `not-running`, `refused` for
 * one that is starting or being stopped, `timed-out`, `bad-stage1`.
 */
export async function pauseOrResume(host: Host, uuid: string, request: 'pause' | 'resume'): Promise<PodUUID> {
  const pod = runningPod(host, uuid);
  await askSupervisor(pod, { type: request }, { timeout: ANSWER_MILLISECONDS });
  return pod.uuid;
}
