/**
 * Project quotas: what all files of a project, which is a number, may take of their file system, whoever owns them. A directory hands its
 * project on to what is made in it; `statfs` tells there of the project's limit instead of the file system's size (ext4, XFS).
 */
import { Packer, Unpacker } from './bytes.ts';
import { ioctl } from './descriptors.ts';
import { hasCode, unless } from './errors.ts';
import { call } from './syscall.ts';

/** Commands of quotactl, and what makes each one of projects. */
const Q_GETQUOTA = 0x800007;
const Q_SETQUOTA = 0x800008;
const Q_XGETQSTATV = 0x5808;
const ofProjects = (command: number) => command * 256 + 2;

const STATV_BYTES = 160;
const STATV_VERSION = 1;
const FS_QUOTA_PDQ_ENFD = 1 << 5;

const FS_IOC_FSGETXATTR = 0x801c581f;
const FS_IOC_FSSETXATTR = 0x401c5820;
const ATTRIBUTES_BYTES = 28;
const PROJECT_AT = 12;
const FS_XFLAG_PROJINHERIT = 0x200;

const DQBLK_BYTES = 72;
const BLOCK_BYTES = 1024;
const QIF_BLIMITS = 1;
const QIF_ILIMITS = 4;

/** Zero is no limit. */
export interface ProjectLimits {
  /** Rounded up to 1024. */
  readonly bytes: number;
  readonly files: number;
}

/** That of files that nobody has given one. */
export const NO_PROJECT = 0;

/** Whether the file system of an open file counts what projects have, and refuses what is beyond their limits. */
export function enforcesProjects(fd: number): boolean {
  const state = new Packer(STATV_BYTES)
    .u8(STATV_VERSION)
    .zeros(STATV_BYTES - 1)
    .finish();
  try {
    call('quotactl_fd', fd, ofProjects(Q_XGETQSTATV), 0, state);
  } catch (error) {
    if (hasCode(error, ...NO_QUOTAS)) return false;
    throw error;
  }
  return (new Unpacker(state, 2).u16() & FS_QUOTA_PDQ_ENFD) !== 0;
}

/** What kernels and file systems without them say, each in its way; before Linux 5.14 there is no such call. */
const NO_QUOTAS = ['ENOSYS', 'ENOTTY', 'EOPNOTSUPP', 'ESRCH', 'EINVAL', 'EPERM', 'EACCES'];

/** Whether no file of the file system has this project, and nobody has set it a limit. */
export function isUnused(fd: number, project: number): boolean {
  const state = new Packer(DQBLK_BYTES).zeros(DQBLK_BYTES).finish();
  // XFS knows nothing of one that was never used.
  const known = unless(['ENOENT'], () => call('quotactl_fd', fd, ofProjects(Q_GETQUOTA), project, state));
  return known === undefined || isEmptyQuota(state);
}

/** Of struct if_dqblk: its limits and what counts towards them. Pure. */
export function isEmptyQuota(state: Uint8Array): boolean {
  const fields = new Unpacker(state);
  return Array.from({ length: 6 }, () => fields.u64()).every((value) => value === 0);
}

/** On the file system of an open file. */
export function limitProject(fd: number, project: number, limits: ProjectLimits): void {
  call('quotactl_fd', fd, ofProjects(Q_SETQUOTA), project, limitsOf(limits));
}

/** As struct if_dqblk. Pure. */
export function limitsOf({ bytes, files }: ProjectLimits): Uint8Array {
  return new Packer(DQBLK_BYTES)
    .u64(Math.ceil(bytes / BLOCK_BYTES))
    .zeros(16)
    .u64(files)
    .zeros(32)
    .u32(QIF_BLIMITS | QIF_ILIMITS)
    .zeros(4)
    .finish();
}

/** Undefined where the file system has no projects. */
export function projectOf(fd: number): number | undefined {
  const attributes = unless(['ENOTTY', 'EOPNOTSUPP', 'EINVAL'], () => attributesOf(fd));
  return attributes && new Unpacker(attributes, PROJECT_AT).u32();
}

/** Of an open directory, and of all that is made in it. */
export function setProject(directory: number, project: number): void {
  ioctl(directory, FS_IOC_FSSETXATTR, withProject(attributesOf(directory), project));
}

/** In struct fsxattr. Pure. */
export function withProject(attributes: Uint8Array, project: number): Uint8Array {
  const flags = new Unpacker(attributes).u32();
  return new Packer(ATTRIBUTES_BYTES)
    .bytes(attributes)
    .patchU32(0, flags | FS_XFLAG_PROJINHERIT)
    .patchU32(PROJECT_AT, project)
    .finish();
}

function attributesOf(fd: number): Uint8Array {
  const attributes = new Uint8Array(ATTRIBUTES_BYTES);
  ioctl(fd, FS_IOC_FSGETXATTR, attributes);
  return attributes;
}
