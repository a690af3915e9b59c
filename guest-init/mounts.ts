/** The mounts inside an app's root, made when it has become `/`, so that no link of the image leads out of it. */
import type { MountFlag, MountPlanEntry } from '../src/abi/boot-plan.ts';
import { unless } from '../src/native/errors.ts';
import { setReadOnly } from '../src/native/mount-attributes.ts';
import { mount, ms } from '../src/native/mounts.ts';
import { mkdirAll } from '../src/native/paths.ts';
import { statIfPresent } from '../src/native/stat.ts';
import { mountDevices, type PodMounts } from './devices.ts';

export function makeMount(entry: MountPlanEntry, pod: PodMounts): void {
  switch (entry.kind) {
    case 'filesystem': {
      mkdirAll(entry.target, 0o755);
      const flags = entry.flags.reduce((all, flag) => all | FLAGS[flag], 0);
      mount({ source: entry.type, target: entry.target, type: entry.type, flags, data: entry.data });
      return;
    }
    case 'dev':
      mkdirAll(entry.target, 0o755);
      mountDevices(entry.target, pod);
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
  if (kind !== 'directory') mount({ source: '/dev/null', target, flags: ms.bind });
  else mount({ source: 'tmpfs', target, type: 'tmpfs', flags: EMPTY, data: 'size=0,nr_inodes=1,mode=000' });
}

const EMPTY = ms.readOnly | ms.noSuid | ms.noDev | ms.noExec;
