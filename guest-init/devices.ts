import { writeFile } from '../src/native/contents.ts';
import { unless } from '../src/native/errors.ts';
import { restrictMount } from '../src/native/mount-attributes.ts';
import { attachMount, cloneMount, mount, ms } from '../src/native/mounts.ts';
import { chmod, mkdir, symlink } from '../src/native/paths.ts';

/** What every app of the pod sees of the pod: taken before the app's root is entered, attached after. */
export interface PodMounts {
  readonly devices: readonly OpenDevice[];
  /** A detached mount of the POSIX shared memory that all apps of the pod share. */
  readonly sharedMemory: number;
}

/** The character devices that every app gets. */
const NODES = ['null', 'zero', 'full', 'random', 'urandom', 'tty', 'net/tun'];

const LINKS = [
  ['/proc/self/fd', 'fd'],
  ['/proc/self/fd/0', 'stdin'],
  ['/proc/self/fd/1', 'stdout'],
  ['/proc/self/fd/2', 'stderr'],
  ['/proc/kcore', 'core'],
  ['pts/ptmx', 'ptmx'],
] as const;

/** A device of PID 1's, as a detached mount. */
export interface OpenDevice {
  readonly name: string;
  readonly mount: number;
}

/** In PID 1's root. Those that it does not have nobody gets. */
export function openDevices(): OpenDevice[] {
  return NODES.flatMap((name) => {
    const mount = unless(['ENOENT'], () => cloneMount(`/dev/${name}`, false));
    return mount === undefined ? [] : [{ name, mount }];
  });
}

/**
 * A private /dev on `target`, an existing directory; `sharedMemory` is the pod's, detached. Devices are mounts of PID 1's: what the app
 * itself makes there by the number of a device is none, whatever kernel that number is another's of, too.
 */
export function mountDevices(target: string, { devices, sharedMemory }: PodMounts): void {
  mount({
    source: 'tmpfs',
    target,
    type: 'tmpfs',
    flags: ms.noSuid | ms.noDev | ms.strictAtime,
    data: 'mode=755,size=64k',
  });
  for (const directory of ['net', 'pts', 'shm', 'mqueue']) mkdir(`${target}/${directory}`, 0o755);
  for (const { name, mount } of devices) attachDevice(mount, `${target}/${name}`);
  for (const [to, name] of LINKS) symlink(to, `${target}/${name}`);
  mount({
    source: 'devpts',
    target: `${target}/pts`,
    type: 'devpts',
    flags: ms.noSuid | ms.noExec,
    // Terminals belong to the group `tty`, which is 5 wherever there is one.
    data: 'newinstance,ptmxmode=0666,mode=0620,gid=5',
  });
  attachMount(sharedMemory, `${target}/shm`);
  // A kernel without message queues has no such file system.
  unless(['ENODEV'], () =>
    mount({
      source: 'mqueue',
      target: `${target}/mqueue`,
      type: 'mqueue',
      flags: ms.noSuid | ms.noDev | ms.noExec,
    }),
  );
}

/** Read-only, so that no app gives it another mode for all: that does not concern what is read from the device or written to it. */
function attachDevice(device: number, path: string): void {
  writeFile(path, '');
  attachMount(device, path);
  restrictMount(path, 'alone', 'read-only', 'no-suid');
}

/** In PID 1's own root: a directory that is there in any. */
const MEMORY = '/dev/shm';
/** The POSIX shared memory of all apps of the pod. */
export const SHARED_MEMORY = `${MEMORY}/shared`;
/** The files that lie over those of apps. */
export const COVERS = `${MEMORY}/covers`;

/** Two file systems: apps that fill the one leave room in the other. */
export function mountMemory(): void {
  unless(['EEXIST'], () => mkdir(MEMORY, 0o755));
  const flags = ms.noSuid | ms.noDev;
  mount({ source: 'tmpfs', target: MEMORY, type: 'tmpfs', flags, data: 'mode=755,size=16m' });
  for (const directory of [SHARED_MEMORY, COVERS]) mkdir(directory, 0o755);
  mount({ source: 'tmpfs', target: SHARED_MEMORY, type: 'tmpfs', flags, data: 'mode=1777' });
  chmod(SHARED_MEMORY, 0o1777);
}
