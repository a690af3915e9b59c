/** Where a file has data and where holes, and its data. */

import { read } from './files.ts';
import type { Stat } from './stat.ts';
import { attempt, call } from './syscall.ts';

export interface Region {
  readonly offset: number;
  readonly length: number;
}

const SEEK_SET = 0;
const SEEK_DATA = 3;
const SEEK_HOLE = 4;
const ENXIO = -6;
/** Of a file whose blocks are all there. */
const SECTOR = 512;
const MOST_REGIONS = 65_000;
const CHUNK = 128 * 1024;

/** The stored parts of a file of the size that its stat says; undefined where there are too many. */
export function dataRegions(fd: number, { size, blocks }: Stat): Region[] | undefined {
  if (size === 0) return [];
  if (blocks * SECTOR >= size) return [{ offset: 0, length: size }];
  const regions: Region[] = [];
  for (let at = 0; at < size; ) {
    const start = attempt('lseek', fd, at, SEEK_DATA);
    if (start === ENXIO || start >= size) break;
    const hole = start < 0 ? start : attempt('lseek', fd, start, SEEK_HOLE);
    // Not every file system tells: then it is all data.
    const end = hole > start ? Math.min(size, hole) : size;
    if (start < 0) return [{ offset: 0, length: size }];
    if (regions.length >= MOST_REGIONS) return undefined;
    regions.push({ offset: start, length: end - start });
    at = end;
  }
  return regions;
}

/** Made when it is needed, and kept. */
let scratch: Uint8Array | undefined;

/** All bytes of a region, one piece after another, each good until the next; zeros for what a file has lost since it was looked at. */
export function readRegion(fd: number, { offset, length }: Region, take: (bytes: Uint8Array) => void): void {
  scratch ??= new Uint8Array(CHUNK);
  const buffer = scratch;
  call('lseek', fd, offset, SEEK_SET);
  for (let left = length; left > 0; ) {
    const wanted = buffer.subarray(0, Math.min(left, buffer.length));
    const count = read(fd, wanted);
    if (count === 0) wanted.fill(0);
    const piece = count === 0 ? wanted : wanted.subarray(0, count);
    take(piece);
    left -= piece.length;
  }
}
