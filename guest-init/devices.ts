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

/** The one tmpfs of the pod's shared memory, mounted in PID 1's own root. */
export function mountSharedMemory(target: string): void {
  unless(['EEXIST'], () => mkdir(target, 0o755));
  mount({ source: 'tmpfs', target, type: 'tmpfs', flags: ms.noSuid | ms.noDev, data: 'mode=1777' });
  chmod(target, 0o1777);
}
