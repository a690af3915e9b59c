/**
 * The root of the app: that of its image, with the host's own /dev, /proc and /sys, and files of the pod's. What is mounted here is
 * in the pod's mount namespace, and ends with it.
 */
import type { CoverPlan } from '../src/abi/boot-plan.ts';
import { writeFile } from '../src/native/contents.ts';
import { writeMissingFile } from '../src/native/missing-file.ts';
import { allowMount, setPropagation, setReadOnly } from '../src/native/mount-attributes.ts';
import { attachMount, cloneMount, mount, ms } from '../src/native/mounts.ts';
import { chmod, mkdirAll } from '../src/native/paths.ts';
import { chdir, chroot, umask } from '../src/native/processes.ts';
import { fstat, stat } from '../src/native/stat.ts';
import { SupervisorError } from '../src/supervisor/error.ts';
import type { HostSide } from '../src/supervisor/network/host-side.ts';
import type { AppUser } from './memory-volumes.ts';
import { type DetachedVolume, openVolumes } from './volumes.ts';

const HOST_TREES = ['/dev', '/proc', '/sys'] as const;
const COVERS = 'stage1/rootfs/covers';

/** A mount that is nowhere yet, and where it is to be in the app's root. */
interface DetachedMount {
  readonly target: string;
  readonly mount: number;
}

interface OpenCover extends DetachedMount {
  readonly plan: CoverPlan;
}

export interface RootParts {
  readonly trees: readonly DetachedMount[];
  readonly covers: readonly OpenCover[];
  readonly volumes: readonly DetachedVolume[];
}

/**
 * Before the root is entered. The trees are those of the host's mount namespace where that is given: what is mounted below one of
 * them comes to the other, as far as the host shares its mounts.
 */
export function openParts(
  app: string,
  identity: AppUser,
  host: HostSide | undefined,
  covers: readonly CoverPlan[],
): RootParts {
  const open = () => HOST_TREES.map((target) => ({ target, mount: cloneMount(target, true) }));
  const volumes = openVolumes(app, { host, identity });
  return { trees: host?.inMounts(open) ?? open(), covers: covers.map(openCover), volumes };
}

function openCover(plan: CoverPlan, index: number): OpenCover {
  const file = `${COVERS}/${index}`;
  mkdirAll(COVERS, 0o755);
  writeFile(file, plan.content ?? '');
  // The umask may have cut the mode.
  chmod(file, plan.mode);
  return { plan, target: plan.path, mount: cloneMount(file, false) };
}

/** By the app's process: from here on the image's names, and its links, are looked up in its own root. */
export function enterRoot(rootfs: string, { trees }: Pick<RootParts, 'trees'>): void {
  // A mount of its own, to have its own attributes; set-user-id programs are the app's own affair.
  mount({ source: rootfs, target: rootfs, flags: ms.bind | ms.recursive });
  allowMount(rootfs, 'alone', 'no-suid');
  chdir(rootfs);
  chroot('.');
  umask(0);
  for (const { target, mount } of trees) {
    makeOwn(target, 0o755);
    attachMount(mount, target);
  }
  makeOwn('/tmp', 0o1777);
  mount({ source: 'tmp', target: '/tmp', type: 'tmpfs', flags: ms.noSuid | ms.noDev, data: 'mode=1777' });
}

/** A directory that a link of the image may name, but not in one of the host's trees: what is mounted there the host has as well. */
function makeOwn(target: string, mode: number): void {
  mkdirAll(target, mode);
  if (stat(target).mountId !== stat('/').mountId) throw new SharedPlaceError(target);
}

/** After the volumes, over which covers lie. */
export function finishRoot(isReadOnly: boolean, { covers, volumes }: Omit<RootParts, 'trees'>): void {
  for (const { target, mount, plan } of covers) {
    writeMissingFile({ path: target, mode: plan.mode, content: '' });
    keepFromHost(target, volumes);
    attachMount(mount, target);
    if (plan.readOnly || isReadOnly) setReadOnly(target, 'alone');
  }
  if (isReadOnly) setReadOnly('/', 'alone');
}

/** What is mounted over a file of a volume would be mounted over the host's, which the volume's mount is a peer of. */
function keepFromHost(target: string, volumes: readonly DetachedVolume[]): void {
  const place = stat(target).mountId;
  if (['/', '/tmp'].some((path) => stat(path).mountId === place)) return;
  const volume = volumes.find(({ mount }) => fstat(mount).mountId === place);
  if (volume === undefined) throw new SharedPlaceError(target);
  setPropagation(volume.mount, 'alone', 'slave');
}

class SharedPlaceError extends SupervisorError {
  constructor(target: string) {
    super('bad-pod', `${target} of the image leads into what the app shares with the host`);
  }
}
