/** Volumes that are in memory, made in the pod's own mount namespace, with which they end. */
import { decodeBase64 } from '../src/abi/base64.ts';
import type { SecretVolumePlan, TmpfsVolumePlan } from '../src/abi/further-volumes.ts';
import { File, open_, writeAll } from '../src/native/files.ts';
import { cloneMount, mount, ms, unmount } from '../src/native/mounts.ts';
import { chmod, chown, mkdirAll } from '../src/native/paths.ts';
import { SupervisorError } from '../src/supervisor/error.ts';
import { givenSecrets } from '../src/supervisor/volumes/given-secrets.ts';
import { PLACE } from './volume-part.ts';

export interface AppUser {
  readonly uid: number;
  readonly gid: number;
}

/** Gives a mount that is nowhere, by fd. */
export function makeTmpfs({ bytes, mode, uid, gid }: TmpfsVolumePlan): number {
  const data = bytes === null ? 'mode=700' : `mode=700,size=${bytes}`;
  return mounted('tmpfs', ms.noSuid | ms.noDev, data, (place) => {
    chown(place, uid, gid);
    // After a change of owner, which takes bits away.
    chmod(place, mode);
    return cloneMount(place, false);
  });
}

/** Unlike those of tmpfs, the pages of ramfs never go to a disk. @throws SupervisorError `bad-pod` */
export function makeSecret({ key, mode, uid, gid }: SecretVolumePlan, app: AppUser): number {
  const content = givenSecrets().get(key);
  if (content === undefined) throw new SupervisorError('bad-pod', `volume ${key}: it is not given`);
  return mounted('ramfs', ms.noSuid | ms.noDev | ms.noExec, 'mode=700', (place) => {
    const path = `${place}/${key}`;
    using file = File.open(path, open_.writeOnly | open_.create | open_.exclusive, 0o600);
    writeAll(file.fd, decodeBase64(content));
    chown(file.fd, uid ?? app.uid, gid ?? app.gid);
    chmod(file.fd, mode);
    return cloneMount(path, false);
  });
}

function mounted(
  type: 'tmpfs' | 'ramfs',
  flags: number,
  data: string,
  take: (place: string) => number,
): number {
  mkdirAll(PLACE, 0o700);
  mount({ source: 'volume', target: PLACE, type, flags, data });
  try {
    return take(PLACE);
  } finally {
    unmount(PLACE, 'detach');
  }
}
