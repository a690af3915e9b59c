/**
 * The pod's control group, below the supervisor's own, so that limits of whoever started the pod hold. Its directories are
 * recorded before they are made: what is left after a crash, `gc` removes.
 */
import { POD } from '../abi/pod-directory.ts';
import type { CgroupLayout } from '../native/cgroup-layout.ts';
import {
  type ControlGroup,
  type Controller,
  delegateControllers,
  groupBelow,
  makeGroup,
  ownCgroups,
  removeGroup,
  setLimits,
  signalGroup,
} from '../native/cgroups.ts';
import { sleep } from '../native/clock.ts';
import { readText, readTextIfPresent, writeControl } from '../native/contents.ts';
import { SystemError } from '../native/errors.ts';
import { mkdir } from '../native/paths.ts';
import { getpid } from '../native/processes.ts';
import { record } from './record.ts';

const CONTROLLERS: readonly Controller[] = ['memory', 'cpu', 'pids'];
/** A VMM and a file server need some dozens of threads. */
const MOST_PROCESSES = 512;
/** Of v2: where the supervisor goes, since a group with processes cannot have groups with controllers below it. */
const LEAF = 'rkt-supervisor';

export type PodCgroup =
  | { readonly kind: 'group'; readonly group: ControlGroup }
  | { readonly kind: 'none'; readonly reason: string };

export function makePodCgroup(uuid: string): PodCgroup {
  try {
    const layout = ownCgroups();
    return layout.mode === 'v2' ? makeUnified(layout, uuid) : makeBelow(layout, uuid);
  } catch (error) {
    if (error instanceof SystemError) return { kind: 'none', reason: error.message };
    throw error;
  }
}

/** Files through which a process adds itself. */
export function joinFiles(cgroup: PodCgroup): string[] {
  if (cgroup.kind === 'none') return [];
  return cgroup.group.directories.map(({ path }) => `${path}/cgroup.procs`);
}

/** After the last of the pod's processes has been reaped. */
export function removePodCgroup(cgroup: PodCgroup): void {
  if (cgroup.kind === 'group') removeGroup(cgroup.group);
}

/** For `gc`, which holds the pod's lock: whatever is still in there belongs to nobody. */
export function removeRecordedCgroups(): void {
  const recorded =
    readTextIfPresent(POD.cgroups)
      ?.split('\n')
      .filter((line) => line.startsWith('/')) ?? [];
  const group: ControlGroup = { directories: recorded.map((path) => ({ controller: 'unified', path })) };
  for (let tries = 0; tries < 50 && !removeGroup(group); tries++) {
    signalGroup(group, 'SIGKILL');
    sleep(20);
  }
}

function makeBelow(layout: CgroupLayout, uuid: string): PodCgroup {
  const group = groupBelow(layout, CONTROLLERS, `rkt-${uuid}`);
  if (group.directories.length === 0) return { kind: 'none', reason: 'no cgroup controllers are mounted' };
  return makeRecorded(group, []);
}

function makeUnified(layout: CgroupLayout, uuid: string): PodCgroup {
  const own = layout.places.find((place) => place.version === 2)?.directory;
  if (own === undefined) return { kind: 'none', reason: 'no cgroup hierarchy is mounted' };
  if (readText(`${own}/cgroup.procs`).trim() !== String(getpid()))
    return {
      kind: 'none',
      reason: `rkt is not alone in its cgroup ${own}, which therefore cannot be divided`,
    };
  const leaf = `${own}/${LEAF}`;
  return makeRecorded(groupBelow(layout, CONTROLLERS, `rkt-${uuid}`), [leaf], () => {
    mkdir(leaf, 0o755);
    writeControl(`${leaf}/cgroup.procs`, '0');
    delegateControllers(own, CONTROLLERS);
  });
}

function makeRecorded(group: ControlGroup, others: readonly string[], before = () => {}): PodCgroup {
  const paths = [...group.directories.map(({ path }) => path), ...others];
  record(POD.cgroups, paths.map((path) => `${path}\n`).join(''), 0o640);
  before();
  makeGroup(group);
  setLimits(group, { processes: MOST_PROCESSES });
  return { kind: 'group', group };
}
