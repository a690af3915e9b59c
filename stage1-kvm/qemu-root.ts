/** Makes the root that `confinement.ts` describes. Runs in QEMU's process, in a mount namespace of its own. */
import { writeFile } from '../src/native/contents.ts';
import { setReadOnly } from '../src/native/mount-attributes.ts';
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
  // What happens to mounts from here on is nobody else's business.
  mount({ target: '/', flags: ms.recursive | ms.private });
  mount({
    source: 'qemu',
    target: place,
    type: 'tmpfs',
    flags: ms.noSuid | ms.noExec,
    data: 'mode=755,size=64k,nr_inodes=64',
  });
  for (const entry of entries) make(entry, `${place}/${entry.target}`);
  setReadOnly(place, 'alone');
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
    case 'bind':
      if (entry.of === 'directory') mkdir(target, 0o755);
      else writeFile(target, '');
      mount({ source: entry.source, target, flags: ms.bind | ms.recursive });
      setReadOnly(target, 'recursive');
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
