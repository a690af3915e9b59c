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
  endGroup,
  type GroupLimits,
  groupBelow,
  makeGroup,
  ownCgroups,
  setLimits,
} from '../native/cgroups.ts';
import { readTextIfPresent } from '../native/contents.ts';
import { SystemError } from '../native/errors.ts';
import { POD_GROUP, SUPERVISOR_GROUP } from './group-names.ts';
import { record } from './record.ts';
import { availableControllers, findParent, stepAside, stepBack } from './unified-cgroup.ts';

const CONTROLLERS: readonly Controller[] = ['memory', 'cpu', 'pids'];
/** A VMM and a file server need some dozens of threads. */
const MOST_PROCESSES = 512;

type Limits = Required<Pick<GroupLimits, 'processes' | 'memoryBytes'>>;

interface OpenCgroup {
  readonly kind: 'group';
  readonly group: ControlGroup;
  /** Goes back to where this process was. */
  readonly leave?: () => void;
}

export type PodCgroup = OpenCgroup | { readonly kind: 'none'; readonly reason: string };

/** With `memoryBytes` for all of the pod's processes, where the host has the controller. */
export function makePodCgroup(uuid: string, memoryBytes: number): PodCgroup {
  const limits = { processes: MOST_PROCESSES, memoryBytes };
  try {
    const layout = ownCgroups();
    return layout.mode === 'v2' ? makeUnified(uuid, limits) : makeBelow(layout, uuid, limits);
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

/** The pod's end, on every way out: whatever is still in there dies. */
export function removePodCgroup(cgroup: PodCgroup): void {
  if (cgroup.kind === 'none') return;
  endGroup(cgroup.group);
  cgroup.leave?.();
}

/** For `gc`, which holds the pod's lock: whatever is still in there belongs to nobody. */
export function removeRecordedCgroups(): void {
  const recorded =
    readTextIfPresent(POD.cgroups)
      ?.split('\n')
      .filter((line) => line.startsWith('/')) ?? [];
  endGroup({ directories: recorded.map((path) => ({ controller: 'unified', path })) });
}

function makeBelow(layout: CgroupLayout, uuid: string, limits: Limits): PodCgroup {
  const group = groupBelow(layout, CONTROLLERS, `${POD_GROUP}${uuid}`);
  if (group.directories.length === 0) return { kind: 'none', reason: 'no cgroup controllers are mounted' };
  return makeRecorded(group, limits, []);
}

function makeUnified(uuid: string, { processes, memoryBytes }: Limits): PodCgroup {
  const parent = findParent(uuid);
  if (parent.kind === 'none') return parent;
  const { directory, division } = parent;
  const controllers = availableControllers(directory, CONTROLLERS);
  if (!controllers.includes('pids')) return { kind: 'none', reason: `${directory} has no controllers` };
  const path = `${directory}/${POD_GROUP}${uuid}`;
  const group: ControlGroup = { directories: [{ controller: 'unified', path }] };
  const limits = controllers.includes('memory') ? { processes, memoryBytes } : { processes };
  if (division === 'below')
    return makeRecorded(group, limits, [], () => delegateControllers(directory, controllers));
  const leaf = `${directory}/${SUPERVISOR_GROUP}${uuid}`;
  const made = makeRecorded(group, limits, [leaf], () => stepAside(directory, leaf, controllers));
  return { ...made, leave: () => stepBack(directory, leaf, controllers) };
}

function makeRecorded(
  group: ControlGroup,
  limits: GroupLimits,
  others: readonly string[],
  before = () => {},
): OpenCgroup {
  const paths = [...group.directories.map(({ path }) => path), ...others];
  record(POD.cgroups, paths.map((path) => `${path}\n`).join(''), 0o640);
  before();
  makeGroup(group);
  setLimits(group, limits);
  return { kind: 'group', group };
}
