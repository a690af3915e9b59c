/**
 * A uid, and the gid of the same number, for each pod's QEMU: one user for all would let a guest that has broken into
 * its QEMU trace or kill those of other tenants. No passwd entry is needed. A number is taken as long as a pod's
 * directory records it.
 */
import { VM_IDS } from '../src/abi/host-ids.ts';
import type { IdRange } from '../src/abi/id-range.ts';
import { POD } from '../src/abi/pod-directory.ts';
import { readTextIfPresent } from '../src/native/contents.ts';
import { readdir } from '../src/native/directories.ts';
import { unless } from '../src/native/errors.ts';
import { File, lock, open_ } from '../src/native/files.ts';
import { mkdirAll } from '../src/native/paths.ts';
import { record } from '../src/supervisor/record.ts';
import { KvmError } from './error.ts';

/** Below are the system's own users; the highest id is what the kernel calls none. */
const LOWEST = 1000;
const HIGHEST = 4294967293;
const PHASES = ['embryo', 'prepare', 'prepared', 'run', 'exited-garbage', 'garbage'] as const;

/** `FIRST:COUNT`. @throws KvmError `unsupported` */
export function parseIdRange(text: string | undefined): IdRange {
  if (text === undefined || text === '') return VM_IDS;
  const [first, count, ...more] = text.split(':').map(Number);
  const valid =
    more.length === 0 &&
    first !== undefined &&
    count !== undefined &&
    Number.isSafeInteger(first) &&
    Number.isSafeInteger(count) &&
    first >= LOWEST &&
    count >= 1 &&
    first + count - 1 <= HIGHEST;
  if (!valid)
    throw new KvmError(
      'unsupported',
      `RKT_HYPERVISOR_IDS is FIRST:COUNT, ids from ${LOWEST} to ${HIGHEST}, not ${JSON.stringify(text)}`,
    );
  return { first, count };
}

/** The lowest free id. */
export function chooseId(range: IdRange, taken: ReadonlySet<number>): number | undefined {
  for (let id = range.first; id < range.first + range.count; id++) if (!taken.has(id)) return id;
  return undefined;
}

/**
 * Takes an id for the pod whose directory is the current one, `DATA/pods/PHASE/UUID`, and records it there.
 * @throws KvmError `unsupported` when all are taken
 */
export function allocateId(range: IdRange): number {
  mkdirAll('../../../locks', 0o750);
  using file = File.open('../../../locks/vm-ids', open_.readWrite | open_.create, 0o600);
  lock(file.fd, 'exclusive');
  const id = chooseId(range, recordedIds());
  if (id === undefined)
    throw new KvmError(
      'unsupported',
      `all ${range.count} ids from ${range.first} on are taken by pods: remove some with rkt gc`,
    );
  record(POD.vmId, `${id}\n`, 0o600);
  return id;
}

function recordedIds(): Set<number> {
  const taken = new Set<number>();
  for (const phase of PHASES) {
    const directory = `../../${phase}`;
    for (const pod of unless(['ENOENT'], () => readdir(directory)) ?? []) {
      const recorded = Number(readTextIfPresent(`${directory}/${pod}/${POD.vmId}`));
      if (recorded > 0) taken.add(recorded);
    }
  }
  return taken;
}
