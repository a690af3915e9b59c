/** Makes the roots that `confinement.ts` describes. Runs in the process that gets one, in a mount namespace of its own. */
import { writeFile } from '../src/native/contents.ts';
import { restrictMount } from '../src/native/mount-attributes.ts';
import { mount, ms, pivotRoot, unmount } from '../src/native/mounts.ts';
import { chmod, chown, mkdir, mknod, readlink, symlink } from '../src/native/paths.ts';
import { chdir } from '../src/native/processes.ts';
import { exists, lstat } from '../src/native/stat.ts';
import { type HostPaths, type RootEntry, SYSTEM_NAMES } from './confinement.ts';

export function hostPaths(): HostPaths {
  const present = SYSTEM_NAMES.filter((name) => exists(`/${name}`));
  return {
    system: present.map((name) => ({
      name,
      linkTo: lstat(`/${name}`).kind === 'symlink' ? readlink(`/${name}`) : undefined,
    })),
    linkerCache: exists('/etc/ld.so.cache'),
  };
}

/** `place` is any directory that may be hidden: the new root is mounted there before it becomes `/`. */
export function enterRoot(entries: readonly RootEntry[], place: string): void {
  // What is mounted here is nobody else's business.
  mount({ target: '/', flags: ms.recursive | ms.slave });
  const devices = entries.some(({ kind }) => kind === 'device');
  mount({
    source: 'root',
    target: place,
    type: 'tmpfs',
    flags: ms.noSuid | ms.noExec | (devices ? 0 : ms.noDev),
    data: 'mode=755,size=64k,nr_inodes=64',
  });
  for (const entry of entries) make(entry, `${place}/${entry.target}`);
  restrictMount(place, 'alone', 'read-only');
  chdir(place);
  pivotRoot('.', '.');
  unmount('.', 'detach');
  chdir('/');
}

function make(entry: RootEntry, target: string): void {
  switch (entry.kind) {
    case 'directory':
      mkdir(target, 0o755);
      return;
    case 'symlink':
      symlink(entry.to, target);
      return;
    case 'file':
      writeFile(target, entry.text);
      // The umask may have cut the mode.
      chmod(target, 0o644);
      return;
    case 'bind':
      if (entry.of === 'directory') mkdir(target, 0o755);
      else writeFile(target, '');
      mount({ source: entry.source, target, flags: ms.bind | ms.recursive });
      // Nothing that the host mounts later may come in beside what is restricted here.
      mount({ target, flags: ms.private | ms.recursive });
      restrictMount(target, 'recursive', 'read-only', 'no-suid', 'no-devices');
      return;
    case 'share':
      mkdir(target, 0o755);
      mount({ source: entry.source, target, flags: ms.bind | ms.recursive });
      return;
    case 'processes':
      mkdir(target, 0o755);
      mount({
        source: 'proc',
        target,
        type: 'proc',
        flags: ms.noSuid | ms.noDev | ms.noExec,
        data: 'subset=pid',
      });
      return;
    case 'device':
      mknod(target, 'char', entry.mode, { major: entry.major, minor: entry.minor });
      // The umask may have cut the mode.
      chmod(target, entry.mode);
      chown(target, 0, entry.gid);
      return;
    default:
      entry satisfies never;
  }
}
