import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { POD } from '../abi/pod-directory.ts';

/** Whether a pod has networks whose plugins have made something, or may have: what they make is recorded before, and until it has gone. */
export function hasNetworkRecords(pod: string): boolean {
  const networks = join(pod, POD.networks);
  return existsSync(networks) && readdirSync(networks).some((name) => name.endsWith('.json'));
}

/** Whether a pod whose stage1 records what it makes outside of the pod's directory (`abi/outside-records.ts`) may have left some of it. */
export function hasRecords(pod: string): boolean {
  return existsSync(join(pod, POD.cgroups)) || hasNetworkRecords(pod);
}
