/**
 * A uid, and the gid of the same number, for each pod's QEMU: one user for all would let a guest that has broken into
 * its QEMU trace or kill those of other tenants. No passwd entry is needed. A number is taken as long as the directory of a pod,
 * or of a spare machine, records it.
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
import { spareIds } from './spare-ids.ts';

/** Below are the system's own users; the highest id is what the kernel calls none. */
const LOWEST = 1000;
const HIGHEST = 4294967293;
/** From a pod's directory. */
const DATA = '../../..';
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
  mkdirAll(`${DATA}/locks`, 0o750);
  using _lock = lockIds(DATA);
  const id = chooseId(range, recordedIds(DATA));
  if (id === undefined)
    throw new KvmError(
      'unsupported',
      `all ${range.count} ids from ${range.first} on are taken by pods: remove some with rkt gc`,
    );
  record(POD.vmId, `${id}\n`, 0o600);
  return id;
}

/** Takes that over which a spare machine has recorded as its own. Not before that is gone nobody else can have it. */
export function recordId(id: number): void {
  record(POD.vmId, `${id}\n`, 0o600);
}

/**
 * For a spare machine: of those that are free the highest but one (`saving.ts`), as pods take the lowest. To be recorded under the same
 * lock. @throws KvmError `unsupported` when all are taken
 */
export function chooseSpareId({ first, count }: IdRange, data: string): number {
  const taken = recordedIds(data);
  for (let id = first + count - 2; id >= first; id--) if (!taken.has(id)) return id;
  throw new KvmError('unsupported', `all ${count} ids from ${first} on are taken`);
}

/** Ids are chosen by one at a time. */
export function lockIds(data: string): File {
  const file = File.open(`${data}/locks/vm-ids`, open_.readWrite | open_.create, 0o600);
  lock(file.fd, 'exclusive');
  return file;
}

function recordedIds(data: string): Set<number> {
  const taken = new Set(spareIds(data));
  for (const phase of PHASES) {
    const directory = `${data}/pods/${phase}`;
    for (const pod of unless(['ENOENT'], () => readdir(directory)) ?? []) {
      const recorded = Number(readTextIfPresent(`${directory}/${pod}/${POD.vmId}`));
      if (recorded > 0) taken.add(recorded);
    }
  }
  return taken;
}
