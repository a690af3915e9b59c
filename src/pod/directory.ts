import { chmodSync, chownSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { PodUUID } from '../appc/uuid.ts';
import { isSystemError } from '../os/syscall.ts';
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

/** Members of the group `rkt` read pods without being root; new names inherit the group by the setgid bit. */
const DIRECTORY_MODE = 0o2750;

/** Makes the `pods` directory and one for each phase, where missing. Returns its path. */
export function ensurePodsDirectory(dataDirectory: string): string {
  const pods = podsDirectory(dataDirectory);
  mkdirSync(dirname(dataDirectory), { recursive: true });
  for (const path of [dataDirectory, pods, ...PHASES.map((phase) => join(pods, phase))])
    ensureSharedDirectory(path);
  return pods;
}

/** A directory of root that the group `rkt` may read. */
export function ensureSharedDirectory(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    if (isSystemError(error, 'EEXIST')) return;
    throw error;
  }
  const group = groupId('rkt');
  if (group !== undefined) chownSync(path, -1, group);
  chmodSync(path, DIRECTORY_MODE); // whatever the umask is; after chown, which may clear setgid
}

function groupId(name: string): number | undefined {
  try {
    const line = readFileSync('/etc/group', 'utf8')
      .split('\n')
      .find((entry) => entry.startsWith(`${name}:`));
    return line === undefined ? undefined : Number(line.split(':')[2]);
  } catch {
    return undefined; // no readable group file: the directory stays root's
  }
}
