import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseMountPlan } from '../../src/abi/mount-plan.ts';
import { appRootfs, POD } from '../../src/abi/pod-directory.ts';
import { treeListing } from './tree-listing.ts';

/** What an app of a pod that has exited has left, by the kernel's own overlay of what its mount plan says. */
export function podTree(pod: string, app: string): string[] {
  const plan = parseMountPlan(JSON.parse(readFileSync(join(pod, POD.mountPlan), 'utf8')));
  const step = plan.mounts.find(({ target }) => target === appRootfs(app));
  if (step?.kind !== 'overlay') return treeListing(join(pod, appRootfs(app)));
  const directory = mkdtempSync(join(tmpdir(), 'rkt-pod-tree-'));
  const lower = [join(pod, step.upper), ...step.lower.map((name) => join(step.lowerBase, name))];
  execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', `ro,lowerdir=${lower.join(':')}`, directory]);
  try {
    return treeListing(directory);
  } finally {
    execFileSync('umount', [directory]);
    rmSync(directory, { recursive: true });
  }
}
