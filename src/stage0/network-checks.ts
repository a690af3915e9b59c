import type { NetworkCheck } from '../abi/control.ts';
import { askSupervisor } from './control.ts';
import type { Host } from './host.ts';
import { runningPod } from './running.ts';

export type { NetworkCheck } from '../abi/control.ts';

/**
 * Asks the plugins of a running pod's networks whether all is there that they have made, in the order of the interfaces. Throws PodError,
 * Stage0Error `not-running`, `bad-stage1`, `unsupported`.
 */
export async function networkChecks(host: Host, uuid: string): Promise<NetworkCheck[]> {
  const answers = await askSupervisor(runningPod(host, uuid), { type: 'check-networks' });
  return answers.flatMap((answer) => {
    if (answer.type !== 'network-check') return [];
    const { type: _, ...check } = answer;
    return [check];
  });
}
