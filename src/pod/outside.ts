import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { POD } from '../abi/pod-directory.ts';

/** Whether a pod has networks whose plugins have made something, or may have: what they make is recorded before, and until it has gone. */
export function hasNetworkRecords(pod: string): boolean {
  const networks = join(pod, POD.networks);
  return existsSync(networks) && readdirSync(networks).some((name) => name.endsWith('.json'));
}

/** Whether a pod that has ended, and whose stage1 records what it makes outside of the pod's directory (`abi/outside-records.ts`), may have left some of it. */
export function isSomethingLeft(pod: string): boolean {
  return hasGroups(pod) || hasNetworkRecords(pod) || hasBounds(pod);
}

/** Since the host was started anew nothing is there of what was recorded before. */
function hasGroups(pod: string): boolean {
  const file = join(pod, POD.cgroups);
  if (!existsSync(file)) return false;
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.some((line) => line.startsWith('/') && existsSync(line));
}

/** Directories that a project quota may bound: disks are files. */
function hasBounds(pod: string): boolean {
  const volumes = join(pod, POD.limitedVolumes);
  return (
    existsSync(volumes) && readdirSync(volumes, { withFileTypes: true }).some((entry) => entry.isDirectory())
  );
}
