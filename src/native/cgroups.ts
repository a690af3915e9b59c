/** Control groups: what a pod's processes may use, together. */
import { type CgroupLayout, cgroupLayout, parseMemberships } from './cgroup-layout.ts';
import { sleep } from './clock.ts';
import { readText, writeControl } from './contents.ts';
import { entries } from './directories.ts';
import { hasCode, unless } from './errors.ts';
import { mountTable } from './mount-table.ts';
import { mkdir, rmdir } from './paths.ts';
import { kill } from './processes.ts';
import type { Signal } from './signals.ts';
import { exists } from './stat.ts';

/** The controllers that rkt sets limits, counts and stops processes by; the last four by their names on v1. */
export type Controller = 'memory' | 'cpu' | 'pids' | 'io' | 'blkio' | 'cpuacct' | 'freezer' | 'devices';

const CONTROLLERS: readonly GroupDirectory['controller'][] = [
  'unified',
  'memory',
  'cpu',
  'pids',
  'io',
  'blkio',
  'cpuacct',
  'freezer',
  'devices',
];

export interface GroupDirectory {
  /** `unified` on v2, where one directory has all controllers. */
  readonly controller: Controller | 'unified';
  readonly path: string;
}

/** One control group: a directory, or on v1 one for each controller. */
export interface ControlGroup {
  readonly directories: readonly GroupDirectory[];
}

export function ownCgroups(): CgroupLayout {
  return cgroupLayout(mountTable(), parseMemberships(readText('/proc/self/cgroup')));
}

/** Where a group called `name` below this process's own would be. Nothing is made. */
export function groupBelow(
  layout: CgroupLayout,
  controllers: readonly GroupDirectory['controller'][],
  name: string,
): ControlGroup {
  const unified = layout.places.find((place) => place.version === 2);
  if (layout.mode === 'v2' && unified) {
    return { directories: [{ controller: 'unified', path: `${unified.directory}/${name}` }] };
  }
  const directories = controllers.flatMap((controller): GroupDirectory[] => {
    const place = layout.places.find((p) => p.controller === controller);
    return place ? [{ controller, path: `${place.directory}/${name}` }] : [];
  });
  return { directories };
}

/** `CONTROLLER=DIRECTORY`, for the arguments of a program. */
export function formatGroup({ directories }: ControlGroup): string[] {
  return directories.map(({ controller, path }) => `${controller}=${path}`);
}

/** What is no such word is left out. */
export function parseGroup(words: readonly string[]): ControlGroup {
  const directories = words.flatMap((word): GroupDirectory[] => {
    const [name, ...path] = word.split('=');
    const controller = CONTROLLERS.find((known) => known === name);
    return controller === undefined ? [] : [{ controller, path: path.join('=') }];
  });
  return { directories };
}

/** The same group below each directory. */
export function subgroup({ directories }: ControlGroup, name: string): ControlGroup {
  return {
    directories: directories.map(({ controller, path }) => ({ controller, path: `${path}/${name}` })),
  };
}

/** Directories that exist stay as they are. On v2 the parent must already give its controllers to its children. */
export function makeGroup(group: ControlGroup): void {
  for (const { path } of group.directories) unless(['EEXIST'], () => mkdir(path, 0o755));
}

/** Gives the controllers to the groups below a directory of v2, which may hold no processes itself. */
export function delegateControllers(directory: string, controllers: readonly string[]): void {
  writeControl(`${directory}/cgroup.subtree_control`, controllers.map((name) => `+${name}`).join(' '));
}

/** The other way round; no group below may have processes that it would be taken from. */
export function withdrawControllers(directory: string, controllers: readonly Controller[]): void {
  writeControl(`${directory}/cgroup.subtree_control`, controllers.map((name) => `-${name}`).join(' '));
}

/**
 * Files to which a process writes `0` to come into a group. On v1 it is that of threads, which serves a process with one thread:
 * before a whole process is moved, the kernel waits until nobody on the machine is just forking, 10 ms each time.
 */
export function joinFilesOf({ directories }: ControlGroup): string[] {
  return directories.map(
    ({ controller, path }) => `${path}/${controller === 'unified' ? 'cgroup.procs' : 'tasks'}`,
  );
}

/** Moves a process; 0 is the caller. */
export function addToGroup(group: ControlGroup, pid: number): void {
  for (const { path } of group.directories) writeControl(`${path}/cgroup.procs`, String(pid));
}

/** All processes of a group and of the groups below it. */
export function processesOf(group: ControlGroup): number[] {
  return [...new Set(group.directories.flatMap(({ path }) => processesBelow(path)))];
}

function processesBelow(path: string): number[] {
  const own = unless(['ENOENT', 'ENODEV'], () => readText(`${path}/cgroup.procs`)) ?? '';
  const pids = own.split('\n').filter((line) => line !== '');
  return [...pids.map(Number), ...childGroups(path).flatMap(processesBelow)];
}

function childGroups(path: string): string[] {
  const found = unless(['ENOENT'], () => entries(path)) ?? [];
  return found.filter((entry) => entry.kind === 'directory').map((entry) => `${path}/${entry.name}`);
}

/** A process that forks at the same time may escape one round: repeat until there is none. */
export function signalGroup(group: ControlGroup, signal: Signal): void {
  const whole =
    signal === 'SIGKILL' ? group.directories.filter(({ path }) => exists(`${path}/cgroup.kill`)) : [];
  for (const { path } of whole) writeControl(`${path}/cgroup.kill`, '1');
  for (const pid of processesOf(group)) unless(['ESRCH'], () => kill(pid, signal));
  // Of v1, who is frozen does not even die.
  const frozen =
    signal === 'SIGKILL' ? group.directories.filter(({ path }) => exists(`${path}/freezer.state`)) : [];
  for (const { path } of frozen) writeControl(`${path}/freezer.state`, 'THAWED');
}

/** Removes a group and those below it; false while one still has processes. */
export function removeGroup(group: ControlGroup): boolean {
  return group.directories.map(({ path }) => removeDirectory(path)).every(Boolean);
}

const END_TRIES = 54;
/** Each time twice as long, up to this. */
const LONGEST_TRY_MILLISECONDS = 20;

/** Removes a group with all that is in it; killed processes need a moment to be gone. False: they are not. */
export function endGroup(group: ControlGroup): boolean {
  for (let tries = 0; tries < END_TRIES; tries++) {
    if (removeGroup(group)) return true;
    signalGroup(group, 'SIGKILL');
    sleep(Math.min(2 ** tries, LONGEST_TRY_MILLISECONDS));
  }
  return removeGroup(group);
}

/** Most have none below them: those need not be looked through. */
function removeDirectory(path: string): boolean {
  return removeEmpty(path) || (childGroups(path).map(removeDirectory).every(Boolean) && removeEmpty(path));
}

function removeEmpty(path: string): boolean {
  try {
    rmdir(path);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return true;
    if (hasCode(error, 'EBUSY')) return false;
    throw error;
  }
}
