/** The mounts inside an app's root, made when it has become `/`, so that no link of the image leads out of it. */
import type { MountFlag, MountPlanEntry, SharePlan } from '../src/abi/boot-plan.ts';
import { unless } from '../src/native/errors.ts';
import { setReadOnly } from '../src/native/mount-attributes.ts';
import { attachMount, mount, ms, openFileSystem } from '../src/native/mounts.ts';
import { mkdirAll } from '../src/native/paths.ts';
import { statIfPresent } from '../src/native/stat.ts';
import { mountDevices, type PodMounts } from './devices.ts';
import { InitError } from './error.ts';
import { attachVolume, openVolumes } from './volumes.ts';

/** The kernel shows itself, in a user namespace, to who sees it already: such file systems are opened before the app's root is entered. */
const SHOWN: readonly string[] = ['proc', 'sysfs'];

/** What has to be taken before the app's root is entered: file systems, volumes. Each is detached. */
export type OpenMounts = ReadonlyMap<MountPlanEntry, number>;

/** In PID 1's root. */
export function openMounts(entries: readonly MountPlanEntry[], shares: readonly SharePlan[]): OpenMounts {
  return new Map([...openFileSystems(entries), ...openVolumes(entries, shares)]);
}

function openFileSystems(entries: readonly MountPlanEntry[]): [MountPlanEntry, number][] {
  return entries.flatMap((entry): [MountPlanEntry, number][] =>
    entry.kind === 'filesystem' && SHOWN.includes(entry.type) && entry.data === ''
      ? [[entry, openFileSystem(entry.type, flagsOf(entry.flags))]]
      : [],
  );
}

export function makeMount(entry: MountPlanEntry, pod: PodMounts, opened: OpenMounts): void {
  switch (entry.kind) {
    case 'filesystem': {
      const { target, type, data } = entry;
      mkdirAll(target, 0o755);
      const fileSystem = opened.get(entry);
      if (fileSystem === undefined) mount({ source: type, target, type, flags: flagsOf(entry.flags), data });
      else attachMount(fileSystem, target);
      return;
    }
    case 'dev':
      mkdirAll(entry.target, 0o755);
      mountDevices(entry.target, pod);
      return;
    case 'volume':
      attachVolume(entry, opened.get(entry) ?? -1);
      return;
    case 'read-only':
      protect(entry.target);
      return;
    case 'hidden':
      hide(entry.target);
      return;
    default:
      entry satisfies never;
  }
}

function flagsOf(flags: readonly MountFlag[]): number {
  return flags.reduce((all, flag) => all | FLAGS[flag], 0);
}

const FLAGS: Readonly<Record<MountFlag, number>> = {
  'read-only': ms.readOnly,
  nosuid: ms.noSuid,
  nodev: ms.noDev,
  noexec: ms.noExec,
  relatime: ms.relatime,
};

/** Kernels differ in which of these files they have: what is missing needs no protection. */
function protect(target: string): void {
  if (
    unless(['ENOENT'], () => mount({ source: target, target, flags: ms.bind | ms.recursive })) === undefined
  ) {
    if (statIfPresent(target) === undefined) return;
  }
  setReadOnly(target, 'recursive');
}

function hide(target: string): void {
  const kind = statIfPresent(target)?.kind;
  if (kind === undefined) return;
  if (kind === 'directory') {
    mount({ source: 'tmpfs', target, type: 'tmpfs', flags: EMPTY, data: 'size=0,nr_inodes=1,mode=000' });
    return;
  }
  // A volume may be there instead.
  if (statIfPresent(NOTHING) === undefined)
    throw new InitError('mount', `${target} is to be hidden, and what is mounted at /dev has no null device`);
  mount({ source: NOTHING, target, flags: ms.bind });
}

const NOTHING = '/dev/null';
const EMPTY = ms.readOnly | ms.noSuid | ms.noDev | ms.noExec;
