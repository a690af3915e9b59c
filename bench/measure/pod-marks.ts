import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { POD } from '../../src/abi/pod-directory.ts';

/** When a pod reached what it notes in its directory, in milliseconds since the epoch. */
export interface PodMarks {
  readonly created: number;
  readonly supervisor: number;
  /** All apps have been started. */
  readonly ready: number;
}

/** Of the pod that was made last. */
export function lastPodMarks(dataDirectory: string): PodMarks {
  const run = join(dataDirectory, 'pods', 'run');
  const pods = readdirSync(run).map((uuid): PodMarks => {
    const changed = (name: string) => lstatSync(join(run, uuid, name)).mtimeMs;
    return {
      created: changed(POD.created),
      supervisor: changed(POD.pid),
      ready: changed(POD.supervisorStatus),
    };
  });
  const [last] = pods.sort((a, b) => b.created - a.created);
  if (last === undefined) throw new Error(`no pod in ${run}`);
  return last;
}
