/** Volumes that PID 1 makes itself: in its memory, and of the machine's disks. */

import { decodeBase64 } from '../src/abi/base64.ts';
import {
  isOwnVolume,
  MADE_VOLUMES,
  type MadeTop,
  type MadeVolume,
  madeVolumePath,
} from '../src/abi/made-volumes.ts';
import { readdir } from '../src/native/directories.ts';
import { hasCode, unless } from '../src/native/errors.ts';
import { File, open_, writeAll } from '../src/native/files.ts';
import { mount, ms, unmount } from '../src/native/mounts.ts';
import { chmod, chown, mkdirAll, rmdir, unlink } from '../src/native/paths.ts';
import { exists } from '../src/native/stat.ts';
import { diskOf } from './disks.ts';
import { InitError } from './error.ts';

const MEMORY = ms.noSuid | ms.noDev | ms.noExec;
const SECRETS = `${MADE_VOLUMES}/secret`;
/** mkfs makes it, for a program that looks after the file system; a new volume has nothing in it. */
const LOST_AND_FOUND = 'lost+found';

/** Those that are not there yet: an app that is started again finds its own as it has left them. @throws InitError */
export function makeVolumes(volumes: readonly MadeVolume[]): void {
  if (volumes.length > 0 && !exists(SECRETS)) prepareGround();
  for (const volume of volumes)
    if (!exists(madeVolumePath(volume))) naming(volume, () => makeWhole(volume, madeVolumePath(volume)));
}

/** Of an app that comes to a pod that runs, which goes on without it. Gives what is wrong. */
export function makeLateVolumes(volumes: readonly MadeVolume[]): string | undefined {
  try {
    makeVolumes(volumes);
    return undefined;
  } catch (error) {
    if (error instanceof InitError) return error.message;
    throw error;
  }
}

/** Of an app that has left: a later one of its name gets new ones. */
export function removeVolumesOf(app: string): void {
  for (const kind of ['tmpfs', 'secret'] as const)
    for (const name of unless(['ENOENT'], () => readdir(`${MADE_VOLUMES}/${kind}`)) ?? [])
      if (isOwnVolume(name, app)) removeVolume(kind, madeVolumePath({ kind, name }));
}

function prepareGround(): void {
  // Its own root may be read-only.
  mkdirAll(MADE_VOLUMES, 0o700);
  mount({ source: 'volumes', target: MADE_VOLUMES, type: 'tmpfs', flags: MEMORY, data: 'mode=700,size=1m' });
  for (const directory of [`${MADE_VOLUMES}/tmpfs`, `${MADE_VOLUMES}/disk`, SECRETS])
    mkdirAll(directory, 0o700);
  // Unlike those of tmpfs, its pages never go to a disk.
  mount({ source: 'secrets', target: SECRETS, type: 'ramfs', flags: MEMORY, data: 'mode=700' });
}

/** Or not at all. */
function makeWhole(volume: MadeVolume, path: string): void {
  try {
    makeVolume(volume, path);
  } catch (error) {
    if (volume.kind !== 'disk') removeVolume(volume.kind, path);
    throw error;
  }
}

function removeVolume(kind: 'tmpfs' | 'secret', path: string): void {
  if (kind === 'secret') {
    unless(['ENOENT'], () => unlink(path));
    return;
  }
  // It is none where the mount has failed.
  unless(['EINVAL', 'ENOENT'], () => unmount(path, 'detach'));
  unless(['ENOENT'], () => rmdir(path));
}

function makeVolume(volume: MadeVolume, target: string): void {
  switch (volume.kind) {
    case 'tmpfs':
      mkdirAll(target, 0o700);
      mount({
        ...{ source: 'volume', target, type: 'tmpfs', flags: ms.noSuid | ms.noDev },
        data: volume.bytes === null ? 'mode=700' : `mode=700,size=${volume.bytes}`,
      });
      dress(target, volume);
      return;
    case 'disk':
      mkdirAll(target, 0o700);
      mountDisk(volume, target);
      return;
    case 'secret':
      writeSecret(volume, target);
      return;
    default:
      volume satisfies never;
  }
}

function mountDisk({ serial, readOnly, fresh }: Extract<MadeVolume, { kind: 'disk' }>, target: string): void {
  const flags = ms.noSuid | ms.noDev | (readOnly ? ms.readOnly : 0);
  mountExt4(diskOf(serial), target, flags);
  if (fresh === null) return;
  unless(['ENOENT'], () => rmdir(`${target}/${LOST_AND_FOUND}`));
  dress(target, fresh);
}

function mountExt4(source: string, target: string, flags: number): void {
  try {
    mount({ source, target, type: 'ext4', flags });
  } catch (cause) {
    if (!hasCode(cause, 'EROFS')) throw cause;
    const problem = 'it was not unmounted, and what is left to do in it needs one pod that may write to it';
    throw new InitError('volumes', problem, { cause });
  }
}

/** Before the machine goes, and when nobody has files open any more: what is on a disk is whole then, whoever looks at it next. */
export function settleDisks(): void {
  const place = `${MADE_VOLUMES}/disk`;
  const names = unless(['ENOENT'], () => readdir(place)) ?? [];
  for (const name of names) {
    const target = `${place}/${name}`;
    // Apps that have ended may still have it mounted: so it is not unmounted.
    unless(['EBUSY', 'EINVAL', 'EROFS', 'EIO'], () => mount({ target, flags: ms.remount | ms.readOnly }));
  }
}

function writeSecret(secret: Extract<MadeVolume, { kind: 'secret' }>, target: string): void {
  using file = File.open(target, open_.writeOnly | open_.create | open_.exclusive, 0o600);
  writeAll(file.fd, decodeBase64(secret.content));
  chown(file.fd, secret.uid, secret.gid);
  chmod(file.fd, secret.mode);
}

/** The owner first, by whose change bits of the mode may go. */
function dress(target: string, { mode, uid, gid }: MadeTop): void {
  chown(target, uid, gid);
  chmod(target, mode);
}

function naming({ name }: MadeVolume, action: () => void): void {
  try {
    action();
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new InitError('volumes', `volume ${name}: ${message}`, { cause });
  }
}
