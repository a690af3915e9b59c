/**
 * The disk that a machine's apps write to. To make a file system takes mkfs.ext4 more time than all else at a pod's start, and what it writes is the
 * same each time: so what it has written once is kept in the data directory, and copied.
 */
import { POD, SCRATCH_MODELS } from '../../abi/pod-directory.ts';
import { File, open_, truncate, tryLock, writeAt } from '../../native/files.ts';
import { mkdirAll, rename } from '../../native/paths.ts';
import { dataRegions, readRegion } from '../../native/sparse-files.ts';
import { exists, fstat } from '../../native/stat.ts';
import { SupervisorError } from '../error.ts';
import { type Disk, openDisk } from './disk.ts';
import { formatExt4 } from './formatting.ts';

const ROOT = { uid: 0, gid: 0 };
const NEW = open_.readWrite | open_.create | open_.noFollow;

/** Anew, whatever an earlier attempt has left. @throws SupervisorError `bad-disk`, `unsupported` */
export function makeScratch(bytes: number): Disk {
  const model = `${SCRATCH_MODELS}/${bytes}`;
  {
    using file = File.open(POD.scratch, NEW | open_.truncate, 0o600);
    truncate(file.fd, bytes);
    if (exists(model) || makeModel(model, bytes)) copyModel(model, file.fd);
  }
  const disk = openDisk('the scratch disk', POD.scratch, false);
  // Somebody else is just making the model.
  if (!exists(model)) formatExt4('the scratch disk', disk, ROOT, 'scratch');
  return disk;
}

/** False: another pod does so at the moment. What a killed one has left is written over. */
function makeModel(model: string, bytes: number): boolean {
  mkdirAll(SCRATCH_MODELS, 0o700);
  const draft = `${model}.tmp`;
  using file = File.open(draft, NEW, 0o600);
  if (!tryLock(file.fd, 'exclusive')) return false;
  truncate(file.fd, 0);
  truncate(file.fd, bytes);
  formatExt4(
    'the scratch disk',
    { fd: file.fd, kind: 'file', bytes, [Symbol.dispose]() {} },
    ROOT,
    'scratch',
  );
  rename(draft, model);
  return true;
}

/** What has data alone: the file stays as sparse as the model is. */
function copyModel(model: string, to: number): void {
  using from = File.open(model, open_.readOnly | open_.noFollow);
  const regions = dataRegions(from.fd, fstat(from.fd));
  if (regions === undefined) throw new SupervisorError('bad-disk', `${model} is no model of a disk`);
  for (const region of regions) {
    let at = region.offset;
    readRegion(from.fd, region, (bytes) => {
      writeAt(to, bytes, at);
      at += bytes.length;
    });
  }
}
