/**
 * Volumes of a size as plain directories, where the pod's file system has project quotas. Each has a project of its own. There is no
 * register that could disagree with the file system: a project is free while no file has it and nobody has set it a limit, and which
 * one a directory has is written in itself.
 */
import type { LimitedVolumePlan } from '../../abi/further-volumes.ts';
import type { IdRange } from '../../abi/id-range.ts';
import { LOCKS_OF_POD, limitedVolume, POD } from '../../abi/pod-directory.ts';
import { Unpacker } from '../../native/bytes.ts';
import { readdir } from '../../native/directories.ts';
import { hasCode, SystemError, unless } from '../../native/errors.ts';
import { close, File, open, open_ } from '../../native/files.ts';
import { chmod, chown, mkdir, mkdirAll, rename, rmdir, unlink } from '../../native/paths.ts';
import {
  enforcesProjects,
  isUnused,
  limitProject,
  NO_PROJECT,
  projectOf,
  setProject,
} from '../../native/quotas.ts';
import { randomBytes } from '../../native/system.ts';
import { lockWithin } from '../network/lock.ts';

/** Far above those that people and other container runtimes count up to. */
export const PROJECTS: IdRange = { first: 0x70000000, count: 65536 };
const MOST_TRIES = 64;
/** Held by who looks for a project that is free, until a directory has it. */
const LOCK = `${LOCKS_OF_POD}/projects`;
const LOCK_MILLISECONDS = 10_000;
const DIRECTORY = open_.readOnly | open_.directory | open_.noFollow;
/** As in a small ext4: an empty file takes room of the host's file system, too. */
const BYTES_PER_FILE = 4096;

/** It holds no more than so much until it is let go of: then it has no limit, and is to be removed. */
class BoundedDirectory implements Disposable {
  readonly fd: number;

  constructor(path: string) {
    this.fd = open(path, DIRECTORY);
  }

  /** False where no project is free, or the file system refuses. */
  bound({ bytes, mode, uid, gid }: LimitedVolumePlan): boolean {
    try {
      const project = claim(this.fd);
      if (project === undefined) return false;
      limitProject(this.fd, project, { bytes, files: Math.ceil(bytes / BYTES_PER_FILE) });
      chown(this.fd, uid, gid);
      // A change of owner takes bits away.
      chmod(this.fd, mode);
      return true;
    } catch (error) {
      if (error instanceof SystemError) return false;
      throw error;
    }
  }

  [Symbol.dispose](): void {
    try {
      lift(this.fd);
    } finally {
      close(this.fd);
    }
  }
}

/**
 * Made anew, whatever an earlier attempt has left. Undefined where the file system has no quotas of projects, or does not bound this
 * one: there is another way. @throws SystemError
 */
export function makeBoundedDirectory(volume: LimitedVolumePlan): BoundedDirectory | undefined {
  mkdirAll(POD.limitedVolumes, 0o700);
  if (!isFit(POD.limitedVolumes)) return undefined;
  const path = limitedVolume(volume.key);
  discard(path);
  mkdir(path, 0o700);
  const directory = new BoundedDirectory(path);
  if (directory.bound(volume)) return directory;
  directory[Symbol.dispose]();
  discard(path);
  return undefined;
}

/** Of a pod that has ended, however it did; its directory is the current one. What is in them stays, and their projects are taken until it has gone. */
export function liftBounds(): void {
  const left = unless(['ENOENT'], () => readdir(POD.limitedVolumes)) ?? [];
  // The others are disks.
  for (const name of left) unless(['ENOTDIR'], () => liftAt(limitedVolume(name)));
}

/** The first that is free, so many after the first of all, or further on; undefined where none of those that are looked at is. Pure. */
export function chooseProject(start: number, isFree: (project: number) => boolean): number | undefined {
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const project = PROJECTS.first + ((start + tries) % PROJECTS.count);
    if (isFree(project)) return project;
  }
  return undefined;
}

/** In somebody's project, the volume would be out of that one's limit. */
function isFit(path: string): boolean {
  using directory = File.open(path, DIRECTORY);
  return enforcesProjects(directory.fd) && projectOf(directory.fd) === NO_PROJECT;
}

/**
 * From somewhere on, as pods of another data directory may be looking at the same time. The directory counts as a file of its project:
 * nobody takes it twice.
 */
function claim(directory: number): number | undefined {
  mkdirAll(LOCKS_OF_POD, 0o750);
  using lock = lockWithin(LOCK, LOCK_MILLISECONDS);
  const start = new Unpacker(randomBytes(2)).u16();
  const project = lock && chooseProject(start, (candidate) => isUnused(directory, candidate));
  if (project !== undefined) setProject(directory, project);
  return project;
}

/** A directory, or the disk of a time when there were no quotas. What has files in it is moved aside, and goes with the pod. */
export function discard(path: string): void {
  try {
    liftAt(path);
    rmdir(path);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return;
    if (hasCode(error, 'ENOTDIR')) unlink(path);
    else if (hasCode(error, 'ENOTEMPTY')) rename(path, asidePath());
    else throw error;
  }
}

function asidePath(): string {
  return limitedVolume(`~${new Unpacker(randomBytes(4)).u32()}`);
}

function liftAt(path: string): void {
  using directory = File.open(path, DIRECTORY);
  lift(directory.fd);
}

/** Nobody else's, whatever has become of the directory; and somebody may have switched quotas off. */
function lift(directory: number): void {
  const project = projectOf(directory) ?? NO_PROJECT;
  if (project < PROJECTS.first || project >= PROJECTS.first + PROJECTS.count) return;
  unless(['ESRCH', 'ENOSYS'], () => limitProject(directory, project, { bytes: 0, files: 0 }));
}
