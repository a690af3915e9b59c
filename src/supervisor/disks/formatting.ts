/** Making a file system on an empty disk, by the host's own program. */
import { access } from '../../native/paths.ts';
import type { Step } from '../../native/spawn-steps.ts';
import { runBounded } from '../bounded-run.ts';
import { SupervisorError } from '../error.ts';
import { hostPaths, programsAndLibraries } from '../host-programs.ts';
import { enterRoot, type RootEntry } from '../own-root.ts';
import type { Disk } from './disk.ts';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * `passing`: nobody looks at it after the pod, so that nothing is done for that. `scratch`: whole after any end of its machine, and as little
 * written as possible.
 */
export type DiskLife = 'lasting' | 'passing' | 'scratch';

const LIVES: Readonly<
  Record<DiskLife, { readonly words: readonly string[]; readonly extended: readonly string[] }>
> = {
  lasting: { words: [], extended: [] },
  passing: { words: ['-O', '^has_journal'], extended: [] },
  scratch: {
    words: ['-O', '^resize_inode'],
    // The file is new: what is not written is zeros. All that is, at its beginning.
    extended: ['lazy_itable_init=1', 'lazy_journal_init=1', 'nodiscard', 'packed_meta_blocks=1'],
  },
};

/** As much as changes of half a minute need; of smaller disks mkfs.ext4 takes a part. */
const JOURNAL = ['-J', 'size=16'];
const LARGE_BYTES = 512 * 1024 ** 2;

const PROGRAMS = ['/usr/sbin/mkfs.ext4', '/sbin/mkfs.ext4'];
/** Of a disk of many terabytes. */
const MILLISECONDS = 300_000;
/** The disk as the program has it, behind the standard streams. */
const DISK_FD = 3;
/** Its root is built there, in a mount namespace of its own. */
const ROOT_PLACE = 'stage1/rootfs/opt';

/**
 * The program has the disk as an open file, the host's libraries, and no power but to write to what it has. `owner` is that of the
 * new file system's top. @throws SupervisorError `unsupported` where it is not installed, `bad-disk`
 */
export function formatExt4(
  what: string,
  disk: Disk,
  { uid, gid }: Owner,
  life: DiskLife,
  rootPlace = ROOT_PLACE,
): void {
  const program = PROGRAMS.find((path) => access(path, 'execute'));
  if (program === undefined)
    throw new SupervisorError('unsupported', `${what}: mkfs.ext4 is not installed: install e2fsprogs`);
  const { words, extended } = LIVES[life];
  const journal = life === 'scratch' && disk.bytes >= LARGE_BYTES ? JOURNAL : [];
  const options = [`root_owner=${uid}:${gid}`, ...extended].join(',');
  const result = runBounded(
    program,
    // Not to be asked; no blocks kept for root alone; what can be done later the guest's kernel does.
    ['-q', '-F', '-m', '0', ...words, ...journal, '-E', options, `/proc/self/fd/${DISK_FD}`],
    MILLISECONDS,
    { fds: [disk.fd], namespaces: ['mount', 'pid', 'network', 'ipc'], steps: steps(rootPlace) },
  );
  if (result.kind === 'succeeded') return;
  const why = result.kind === 'late' ? 'mkfs.ext4 did not come to an end' : `mkfs.ext4: ${result.said}`;
  throw new SupervisorError('bad-disk', `${what}: ${why}`);
}

/** The disk may be somebody's whose files root reads by that power alone. */
function steps(rootPlace: string): Step[] {
  const entries: RootEntry[] = [
    ...programsAndLibraries(hostPaths()),
    { kind: 'proc', target: 'proc', of: 'processes' },
  ];
  const kept = ['CAP_DAC_OVERRIDE'] as const;
  return [
    { do: 'session' },
    { do: 'call', name: 'root', action: () => enterRoot(entries, rootPlace) },
    { do: 'limit', resource: 'core', limit: { soft: 0, hard: 0 } },
    { do: 'bounding-set', capabilities: kept },
    { do: 'no-new-privileges' },
  ];
}
