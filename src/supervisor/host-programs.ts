/** What a program of the host needs of its file system in a root of its own: itself, and its libraries. */
import { readlink } from '../native/paths.ts';
import { exists, lstat } from '../native/stat.ts';
import type { RootEntry } from './own-root.ts';

export interface HostPaths {
  /** The directories of the host's root that programs and their libraries are in, with the target of those that are symlinks. */
  readonly system: readonly { readonly name: string; readonly linkTo: string | undefined }[];
  readonly linkerCache: boolean;
}

/** Top-level names that a dynamically linked program may need. */
const SYSTEM_NAMES = ['usr', 'lib', 'lib32', 'lib64', 'libx32'] as const;

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

export function programsAndLibraries(host: HostPaths): RootEntry[] {
  return [
    ...host.system.map(
      ({ name, linkTo }): RootEntry =>
        linkTo === undefined
          ? { kind: 'bind', target: name, source: `/${name}`, of: 'directory' }
          : { kind: 'symlink', target: name, to: linkTo },
    ),
    { kind: 'directory', target: 'etc' },
    ...(host.linkerCache
      ? [{ kind: 'bind', target: 'etc/ld.so.cache', source: '/etc/ld.so.cache', of: 'file' } as const]
      : []),
  ];
}
