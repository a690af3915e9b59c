import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { PodUUID } from '../appc/uuid.ts';
import { ensureSharedDirectory } from '../os/shared-directory.ts';
import { PHASES, type Phase } from './state.ts';

/** A pod as it was found; it may move or go at any time. `own` and `observe` hold on to it. */
export interface PodReference {
  /** The `pods` directory. */
  readonly pods: string;
  readonly uuid: PodUUID;
  readonly phase: Phase;
}

export function podsDirectory(dataDirectory: string): string {
  return join(dataDirectory, 'pods');
}

export function podPath(pod: PodReference): string {
  return join(pod.pods, pod.phase, pod.uuid);
}

/** Makes the `pods` directory and one for each phase, where missing. Returns its path. */
export function ensurePodsDirectory(dataDirectory: string): string {
  const pods = podsDirectory(dataDirectory);
  mkdirSync(dirname(dataDirectory), { recursive: true });
  for (const path of [dataDirectory, pods, ...PHASES.map((phase) => join(pods, phase))])
    ensureSharedDirectory(path);
  return pods;
}
