/**
 * The pod's control group, below the supervisor's own, so that limits of whoever started the pod hold. Its directories are
 * recorded before they are made: what is left after a crash, `gc` removes.
 */
import { POD } from '../abi/pod-directory.ts';
import type { CgroupLayout } from '../native/cgroup-layout.ts';
import { type GroupLimits, setLimits } from '../native/cgroup-limits.ts';
import {
  type ControlGroup,
  delegateControllers,
  endGroup,
  type GroupDirectory,
  groupBelow,
  joinFilesOf,
  makeGroup,
  ownCgroups,
} from '../native/cgroups.ts';
import { readTextIfPresent } from '../native/contents.ts';
import { SystemError, unless } from '../native/errors.ts';
import { File, open_ } from '../native/files.ts';
import { chown, unlink } from '../native/paths.ts';
import { exists } from '../native/stat.ts';
import { POD_GROUP, SUPERVISOR_GROUP } from './group-names.ts';
import { record } from './record.ts';
import { availableControllers, findParent, stepAside, stepBack } from './unified-cgroup.ts';

/** What a stage1 wants of the pod's group. */
export interface CgroupWishes {
  /** Those of v1 and of v2, by their names there; `unified` on v1: the group of v2 that a hybrid host has beside. */
  readonly controllers: readonly GroupDirectory['controller'][];
  /** For all of the pod's processes, where the host has the controller. */
  readonly limits: Pick<GroupLimits, 'processes' | 'memoryBytes'>;
}

interface OpenCgroup {
  readonly kind: 'group';
  readonly group: ControlGroup;
  /** Goes back to where this process was. */
  readonly leave?: () => void;
}

export type PodCgroup = OpenCgroup | { readonly kind: 'none'; readonly reason: string };

export function makePodCgroup(uuid: string, wishes: CgroupWishes): PodCgroup {
  try {
    const layout = ownCgroups();
    return layout.mode === 'v2' ? makeUnified(uuid, wishes) : makeBelow(layout, uuid, wishes);
  } catch (error) {
    if (error instanceof SystemError) return { kind: 'none', reason: error.message };
    throw error;
  }
}

/** Files through which a process adds itself, to all or to those of v1. */
export function joinFiles(cgroup: PodCgroup, which: 'all' | 'v1' = 'all'): string[] {
  if (cgroup.kind === 'none') return [];
  const { directories } = cgroup.group;
  const wanted =
    which === 'all' ? directories : directories.filter(({ controller }) => controller !== 'unified');
  return joinFilesOf({ directories: wanted });
}

/**
 * Files to which the pid of a process is written that comes to the pod from elsewhere. It also leaves what others of the host watch it by, for
 * where this process is: hierarchies without controllers, which systemd ends a unit's processes by.
 */
export function moveFiles(cgroup: PodCgroup, { mode, places } = ownCgroups()): string[] {
  const watched = places.filter(
    ({ controller }) => controller.startsWith('name=') || (controller === 'unified' && mode !== 'v2'),
  );
  const own = cgroup.kind === 'none' ? [] : cgroup.group.directories.map(({ path }) => path);
  return [...own, ...watched.map(({ directory }) => directory)].map((path) => `${path}/cgroup.procs`);
}

/** What divides a group, and moves processes within it. Its limits stay the host's. */
const GIVEN_FILES = ['cgroup.procs', 'cgroup.threads', 'cgroup.subtree_control', 'tasks'];

/** Has `owner` divide the group among its own processes. */
export function giveCgroup(cgroup: PodCgroup, owner: number): void {
  if (cgroup.kind === 'none') return;
  for (const { path } of cgroup.group.directories) {
    chown(path, owner, owner);
    for (const name of GIVEN_FILES) unless(['ENOENT'], () => chown(`${path}/${name}`, owner, owner));
  }
}

/** The group of v2, for a process to start in: for a move the whole machine waits. Undefined where there is none. */
export function openUnified(cgroup: PodCgroup): File | undefined {
  if (cgroup.kind === 'none') return undefined;
  const directory = cgroup.group.directories.find(({ controller }) => controller === 'unified');
  return directory && File.open(directory.path, open_.path | open_.directory);
}

/** The pod's end, on every way out: whatever is still in there dies. */
export function removePodCgroup(cgroup: PodCgroup): void {
  if (cgroup.kind === 'none') return;
  endGroup(cgroup.group);
  cgroup.leave?.();
  // Where nothing is recorded `gc` has nothing to do (`outside-records.ts`).
  if (recordedDirectories().every((path) => !exists(path))) unless(['ENOENT'], () => unlink(POD.cgroups));
}

/** For `gc`, which holds the pod's lock: whatever is still in there belongs to nobody. */
export function removeRecordedCgroups(): void {
  endGroup({ directories: recordedDirectories().map((path) => ({ controller: 'unified', path })) });
}

function recordedDirectories(): string[] {
  const lines = readTextIfPresent(POD.cgroups)?.split('\n') ?? [];
  return lines.filter((line) => line.startsWith('/'));
}

function makeBelow(layout: CgroupLayout, uuid: string, { controllers, limits }: CgroupWishes): PodCgroup {
  const group = groupBelow(layout, controllers, `${POD_GROUP}${uuid}`);
  if (group.directories.length === 0) return { kind: 'none', reason: 'no cgroup controllers are mounted' };
  return makeRecorded(group, limits, []);
}

function makeUnified(uuid: string, { controllers: wanted, limits: wishes }: CgroupWishes): PodCgroup {
  const parent = findParent(uuid);
  if (parent.kind === 'none') return parent;
  const { directory, division } = parent;
  const controllers = availableControllers(directory, wanted);
  if (!controllers.includes('pids')) return { kind: 'none', reason: `${directory} has no controllers` };
  const path = `${directory}/${POD_GROUP}${uuid}`;
  const group: ControlGroup = { directories: [{ controller: 'unified', path }] };
  const { memoryBytes, ...others } = wishes;
  const limits = controllers.includes('memory') ? wishes : others;
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
