import { readlink } from '../src/native/paths.ts';
import { exists, lstat } from '../src/native/stat.ts';
import { type HostPaths, SYSTEM_NAMES } from './confinement.ts';

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
