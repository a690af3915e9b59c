/**
 * The disk that a machine's apps write to. To make a file system takes mkfs.ext4 more time than all else at a pod's start, and what it writes is the
 * same each time: so what it has written once is kept in the data directory, and copied.
 */
import { POD, SCRATCH_MODELS } from '../../abi/pod-directory.ts';
import { File, open_, truncate, tryLock, writeAt } from '../../native/files.ts';
import { mkdirAll, rename } from '../../native/paths.ts';
import { dataRegions, readRegion } from '../../native/sparse-files.ts';
import { exists, fstat, statIfPresent } from '../../native/stat.ts';
import { SupervisorError } from '../error.ts';
import { type Disk, openDisk } from './disk.ts';
import { formatExt4 } from './formatting.ts';

const ROOT = { uid: 0, gid: 0 };
const NEW = open_.readWrite | open_.create | open_.noFollow;

/** Anew, whatever an earlier attempt has left; `like` is another that is open. @throws SupervisorError `bad-disk`, `unsupported` */
export function makeScratch(bytes: number, like: number | undefined): Disk {
  if (like === undefined) return copyOfModel(bytes);
  return copyScratch(POD.scratch, bytes, like);
}

/** Likewise, elsewhere than in a pod's directory. @throws SupervisorError `bad-disk` */
export function copyScratch(path: string, bytes: number, like: number): Disk {
  {
    using file = File.open(path, NEW | open_.truncate, 0o600);
    truncate(file.fd, bytes);
    copyData(like, file.fd);
  }
  return openDisk('the scratch disk', path, false);
}

/** One that a machine is saved with. */
export function formatScratch(path: string, bytes: number, rootPlace: string): void {
  using file = File.open(path, NEW | open_.exclusive, 0o600);
  truncate(file.fd, bytes);
  format(file.fd, bytes, rootPlace);
}

function copyOfModel(bytes: number): Disk {
  const model = `${SCRATCH_MODELS}/${bytes}`;
  let isCopy = false;
  {
    using file = File.open(POD.scratch, NEW | open_.truncate, 0o600);
    truncate(file.fd, bytes);
    isCopy = exists(model) || makeModel(model, bytes);
    if (isCopy) copyModel(model, file.fd);
  }
  const disk = openDisk('the scratch disk', POD.scratch, false);
  // Somebody else is just making the model.
  if (!isCopy) formatExt4('the scratch disk', disk, ROOT, 'scratch');
  return disk;
}

/** False: another pod does so at the moment. What a killed one has left is written over. */
function makeModel(model: string, bytes: number): boolean {
  mkdirAll(SCRATCH_MODELS, 0o700);
  const draft = `${model}.tmp`;
  using file = File.open(draft, NEW, 0o600);
  if (!tryLock(file.fd, 'exclusive')) return false;
  // Whoever had the lock may have made the model of what we opened.
  if (statIfPresent(draft)?.inode !== fstat(file.fd).inode) return exists(model);
  truncate(file.fd, 0);
  truncate(file.fd, bytes);
  format(file.fd, bytes);
  rename(draft, model);
  return true;
}

function format(fd: number, bytes: number, rootPlace?: string): void {
  formatExt4(
    'the scratch disk',
    { fd, kind: 'file', bytes, [Symbol.dispose]() {} },
    ROOT,
    'scratch',
    rootPlace,
  );
}

function copyModel(model: string, to: number): void {
  using from = File.open(model, open_.readOnly | open_.noFollow);
  copyData(from.fd, to);
}

/** What has data alone: the file stays as sparse as the model is. */
function copyData(from: number, to: number): void {
  const regions = dataRegions(from, fstat(from));
  if (regions === undefined) throw new SupervisorError('bad-disk', 'the model of the scratch disk is none');
  for (const region of regions) {
    let at = region.offset;
    readRegion(from, region, (bytes) => {
      writeAt(to, bytes, at);
      at += bytes.length;
    });
  }
}
