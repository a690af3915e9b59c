/** What is on a disk, as far as it matters for one that may be formatted. */
import { dataRegions, type Region, readRegion } from '../../native/sparse-files.ts';
import { fstat } from '../../native/stat.ts';
import type { Disk } from './disk.ts';

/** `nothing`: neither a file system nor a table of partitions, nor what others leave at either end of a disk. */
export type DiskContent = 'nothing' | 'ext4' | 'something';

/** File systems, and what makes one disk of several, say who they are at the beginning; some, and tables of partitions again, at the end. */
const LOOKED_AT = 1024 * 1024;
/** Of ext4's superblock, and where its magic number is in there (Documentation/filesystems/ext4/super.rst). */
const MAGIC_AT = 1024 + 0x38;
const MAGIC = [0x53, 0xef];

export function diskContent(disk: Disk): DiskContent {
  if (disk.kind === 'file' && dataRegions(disk.fd, fstat(disk.fd))?.length === 0) return 'nothing';
  if (magicOf(disk.fd).every((byte, index) => byte === MAGIC[index])) return 'ext4';
  const end = Math.max(LOOKED_AT, disk.bytes - LOOKED_AT);
  const ends = [
    { offset: 0, length: Math.min(LOOKED_AT, disk.bytes) },
    { offset: end, length: Math.max(0, disk.bytes - end) },
  ];
  return ends.every((region) => isZero(disk.fd, region)) ? 'nothing' : 'something';
}

function magicOf(fd: number): number[] {
  const bytes: number[] = [];
  readRegion(fd, { offset: MAGIC_AT, length: MAGIC.length }, (read) => bytes.push(...read));
  return bytes;
}

function isZero(fd: number, region: Region): boolean {
  let clean = true;
  readRegion(fd, region, (bytes) => {
    clean &&= bytes.every((byte) => byte === 0);
  });
  return clean;
}
