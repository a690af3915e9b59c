import { STAGE2 } from '../../src/abi/pod-directory.ts';
import { ENTRYPOINTS, type Entrypoint } from '../../src/abi/stage1.ts';
import { directory, type Entry, file, symlink } from './entry.ts';
import { type Stage1Names, stage1Manifest } from './manifest.ts';

/** What every stage1 image has. The flavour is the last part of the image's name, and the name of its program. */
export interface Stage1Parts extends Stage1Names {
  /** The multi-call program of the entrypoints. */
  readonly program: Uint8Array;
  /** Whose work is in it, under which licences: it goes wherever the image goes. */
  readonly notice: Uint8Array;
  /** Those that the program has, if not all. */
  readonly entrypoints?: readonly Entrypoint[];
}

/** The image's members, in their order; `own` is what this flavour has beside, below `rootfs`. */
export function stage1Entries(parts: Stage1Parts, own: readonly Entry[]): Entry[] {
  const { flavour, program, notice, entrypoints = ENTRYPOINTS } = parts;
  const folders = entrypoints.some((entrypoint) => entrypoint.startsWith('app/'))
    ? [directory('rootfs/app')]
    : [];
  return [
    file('manifest', Buffer.from(stage1Manifest(parts, entrypoints))),
    directory('rootfs'),
    file('rootfs/NOTICE', notice),
    file(`rootfs/${flavour}`, program, 0o755),
    ...folders,
    ...entrypoints.map((entrypoint) => symlink(`rootfs/${entrypoint}`, programFrom(entrypoint, flavour))),
    ...directories(`rootfs/${STAGE2}`),
    ...own,
  ];
}

/** The program's path from an entrypoint's directory. */
function programFrom(entrypoint: Entrypoint, program: string): string {
  return `${'../'.repeat(entrypoint.split('/').length - 1)}${program}`;
}

/** Every directory on the way to a path below the root file system, outermost first. */
function directories(path: string): Entry[] {
  const names = path.split('/');
  return names.slice(1).map((_, index) => directory(names.slice(0, index + 2).join('/')));
}
