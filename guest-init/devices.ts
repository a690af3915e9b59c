import { unless } from '../src/native/errors.ts';
import { attachMount, mount, ms } from '../src/native/mounts.ts';
import { chmod, mkdir, mknod, symlink } from '../src/native/paths.ts';

/** Name, major, minor, of the character devices that every app gets. */
const NODES = [
  ['null', 1, 3],
  ['zero', 1, 5],
  ['full', 1, 7],
  ['random', 1, 8],
  ['urandom', 1, 9],
  ['tty', 5, 0],
  ['net/tun', 10, 200],
] as const;

const LINKS = [
  ['/proc/self/fd', 'fd'],
  ['/proc/self/fd/0', 'stdin'],
  ['/proc/self/fd/1', 'stdout'],
  ['/proc/self/fd/2', 'stderr'],
  ['/proc/kcore', 'core'],
  ['pts/ptmx', 'ptmx'],
] as const;

/** A private /dev on `target`, an existing directory; `sharedMemory` is the pod's, detached. */
export function mountDevices(target: string, sharedMemory: number): void {
  mount({
    source: 'tmpfs',
    target,
    type: 'tmpfs',
    flags: ms.noSuid | ms.strictAtime,
    data: 'mode=755,size=64k',
  });
  for (const directory of ['net', 'pts', 'shm', 'mqueue']) mkdir(`${target}/${directory}`, 0o755);
  for (const [name, major, minor] of NODES) mknod(`${target}/${name}`, 'char', 0o666, { major, minor });
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
