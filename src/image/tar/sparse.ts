import type { ByteSource } from './byte-source.ts';
import { type ByteString, showBytes, toByteString } from './bytes.ts';
import type { Region } from './entry.ts';
import { TarError } from './error.ts';
import { BLOCK, type Header, number } from './header.ts';
import type { TarLimits } from './limits.ts';
import { type PaxRecord, paxInteger, paxName } from './pax.ts';

/** A sparse file's map: its full size, and where the stored bytes belong, in order. */
export interface SparseMap {
  readonly size: number;
  readonly regions: readonly Region[];
  /** Bytes of the entry's body that the map itself took (GNU format 1.0). */
  readonly consumed: number;
}

/** What `GNU.sparse.*` records say; in format 1.0 the map itself stands before the content. */
export type PaxSparse =
  | {
      readonly kind: 'map';
      readonly name: ByteString | undefined;
      readonly size: number;
      readonly regions: readonly Region[];
    }
  | { readonly kind: 'in-body'; readonly name: ByteString | undefined; readonly size: number };

/** Formats 0.0 (repeated offset and numbytes), 0.1 (one list) and 1.0, told apart by their keys. */
export function paxSparse(records: readonly PaxRecord[], limits: TarLimits): PaxSparse | undefined {
  if (records.length === 0) return undefined;
  const last = new Map(records.map(({ key, value }) => [key.slice('GNU.sparse.'.length), value]));
  const nameBytes = last.get('name');
  const name = nameBytes === undefined ? undefined : paxName(nameBytes, 'GNU.sparse.name', limits);
  const sizeBytes = last.get('realsize') ?? last.get('size');
  if (sizeBytes === undefined) throw bad('no GNU.sparse.size');
  const size = paxInteger(sizeBytes, 'GNU.sparse.size');
  const version = `${versionPart(last.get('major'))}.${versionPart(last.get('minor'))}`;
  if (version === '1.0') return { kind: 'in-body', name, size };
  if (version !== '0.0' && version !== '0.1')
    throw new TarError('unsupported', `sparse format ${version} is not known`);
  const map = last.get('map');
  const numbers = map === undefined ? repeatedPairs(records) : toByteString(map).split(',').map(decimal);
  return { kind: 'map', name, size, regions: pairs(numbers, limits) };
}

function versionPart(value: Uint8Array | undefined): number {
  return value === undefined ? 0 : paxInteger(value, 'sparse format version');
}

function repeatedPairs(records: readonly PaxRecord[]): number[] {
  const numbers: number[] = [];
  for (const { key, value } of records) {
    const wanted = numbers.length % 2 === 0 ? 'GNU.sparse.offset' : 'GNU.sparse.numbytes';
    if (key !== 'GNU.sparse.offset' && key !== 'GNU.sparse.numbytes') continue;
    if (key !== wanted) throw bad(`${key} where ${wanted} belongs`);
    numbers.push(paxInteger(value, key));
  }
  return numbers;
}

/** Format 1.0: decimal lines (count, then offset and length of each region) before the content, padded to blocks. */
export async function readBodyMap(
  source: ByteSource,
  stored: number,
  size: number,
  limits: TarLimits,
): Promise<SparseMap> {
  const numbers: number[] = [];
  let wanted = 1;
  let consumed = 0;
  let partial = '';
  while (numbers.length < wanted) {
    if (partial.length > 16) throw bad('line of the map is not a number');
    if (consumed + BLOCK > stored) throw bad('map is longer than the entry');
    const block = await source.read(BLOCK);
    if (block === undefined) throw new TarError('truncated', 'archive ends within a sparse map');
    consumed += BLOCK;
    const lines = (partial + toByteString(block)).split('\n');
    partial = lines.pop() ?? '';
    for (const line of lines) {
      // What follows the last number is padding.
      if (numbers.length === wanted) break;
      const value = decimal(line);
      if (numbers.length === 0) wanted = 1 + 2 * regionCount(value, limits);
      numbers.push(value);
    }
  }
  return { size, regions: pairs(numbers.slice(1), limits), consumed };
}

function regionCount(count: number, limits: TarLimits): number {
  if (count > limits.sparseRegions) throw tooMany(limits);
  return count;
}

/** Old GNU: four regions in the header, the rest in blocks of 21 that follow it before the content. */
export async function readGnuMap(source: ByteSource, header: Header, limits: TarLimits): Promise<SparseMap> {
  const regions: Region[] = [];
  take(header.block, 386, 4, regions);
  let more = header.block[482] === 1;
  while (more) {
    const block = await source.read(BLOCK);
    if (block === undefined) throw new TarError('truncated', 'archive ends within a sparse map');
    take(block, 0, 21, regions);
    if (regions.length > limits.sparseRegions) throw tooMany(limits);
    more = block[504] === 1;
  }
  return { size: number(header.block, 483, 12, 'sparse size'), regions, consumed: 0 };
}

function take(block: Uint8Array, start: number, count: number, regions: Region[]): void {
  for (let at = start; at < start + 24 * count; at += 24) {
    // A NUL where digits belong ends the list; a region of length 0 is a real one, marking the file's end.
    if (block[at] === 0 && block[at + 12] === 0) return;
    regions.push({
      offset: number(block, at, 12, 'sparse offset'),
      length: number(block, at + 12, 12, 'sparse length'),
    });
  }
}

/** The map must lie within the file, in order, and account for every stored byte. @throws TarError bad-sparse */
export function verifyMap(map: SparseMap, stored: number): void {
  let end = 0;
  let total = 0;
  for (const { offset, length } of map.regions) {
    if (offset < end) throw bad('regions overlap or are out of order');
    end = offset + length;
    total += length;
    if (!Number.isSafeInteger(end) || end > map.size)
      throw bad(`region ends at ${end}, beyond the file's size ${map.size}`);
  }
  if (total !== stored) throw bad(`map has ${total} bytes, the archive ${stored}`);
}

function pairs(numbers: readonly number[], limits: TarLimits): Region[] {
  if (numbers.length % 2 !== 0) throw bad('offset without a length');
  regionCount(numbers.length / 2, limits);
  const regions: Region[] = [];
  for (let at = 0; at < numbers.length; at += 2) {
    regions.push({ offset: numbers[at] ?? 0, length: numbers[at + 1] ?? 0 });
  }
  return regions;
}

function decimal(text: ByteString): number {
  const value = /^[0-9]{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw bad(`not a number in the map: ${showBytes(text)}`);
  return value;
}

function tooMany(limits: TarLimits): TarError {
  return new TarError('limit', `sparse file of more than ${limits.sparseRegions} regions`);
}

function bad(message: string): TarError {
  return new TarError('bad-sparse', `sparse file: ${message}`);
}
