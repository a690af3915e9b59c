/** A disk of a pod, with a file system on it. */
import { POD } from '../../abi/pod-directory.ts';
import { File, open_, truncate } from '../../native/files.ts';
import { mkdirAll } from '../../native/paths.ts';
import { SupervisorError } from '../error.ts';
import { diskContent } from './content.ts';
import { checkAlone, type Disk, openDisk } from './disk.ts';
import { type DiskLife, formatExt4, type Owner } from './formatting.ts';

/**
 * What somebody has written to, or nobody yet: then it gets a file system. Takes the disk over. `what` is for messages.
 * @throws SupervisorError `bad-disk`, `unsupported`
 */
export function preparePodDisk(
  what: string,
  disk: Disk,
  readOnly: boolean,
  owner: Owner,
  life: DiskLife = 'lasting',
): Disk {
  try {
    // Before anything is written to it.
    if (!readOnly) checkAlone(what, disk);
    const content = diskContent(disk);
    if (content === 'something')
      throw new SupervisorError(
        'bad-disk',
        `${what}: there is something on it, but no ext4 file system: it is left alone`,
      );
    if (content === 'nothing' && readOnly)
      throw new SupervisorError('bad-disk', `${what}: it is empty, and nothing may be written to it`);
    if (content === 'nothing') formatExt4(what, disk, owner, life);
    return disk;
  } catch (error) {
    disk[Symbol.dispose]();
    throw error;
  }
}

/** One of the pod's own, anew: whatever an earlier attempt has left. */
export function makePodDisk(what: string, path: string, bytes: number): Disk {
  mkdirAll(POD.limitedVolumes, 0o700);
  {
    using file = File.open(path, open_.writeOnly | open_.create | open_.truncate | open_.noFollow, 0o600);
    truncate(file.fd, bytes);
  }
  return preparePodDisk(what, openDisk(what, path, false), false, { uid: 0, gid: 0 }, 'passing');
}
