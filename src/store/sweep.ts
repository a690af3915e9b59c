import type { Digest } from '../oci/index.ts';
import type { Lock } from '../os/lock.ts';
import { removeAny } from '../os/tree.ts';
import type { Blobs } from './blobs.ts';
import { removeLayer } from './draft.ts';
import { layerName, readLayerNote } from './layer-note.ts';
import type { StorePaths } from './layout.ts';
import type { StoreLocks } from './locks.ts';
import { namesIn } from './names.ts';
import { blobPin, layerPin } from './pins.ts';
import type { ImageRecord } from './record.ts';

/** What is used, asked again each time: records and pods come and go while the store is swept. */
export interface Usage {
  readonly records: () => readonly ImageRecord[];
  /** Names of the layers that pods are made of. */
  readonly podLayers: () => ReadonlySet<string>;
}

export interface Swept {
  readonly layers: number;
  readonly blobs: number;
  /** Of what was removed, as far as it is known. */
  readonly bytes: number;
}

/** Each is an open file, and there may be more to remove than files may be open. */
const MOST_LOCKS = 256;

interface Place {
  readonly paths: StorePaths;
  readonly locks: StoreLocks;
  readonly blobs: Blobs;
}

/**
 * Removes layers and blobs that no image and no pod uses. What somebody is about to use is pinned and stays; what is to go is
 * locked first and asked about once more then, so that nobody starts to use it meanwhile.
 */
export function sweep(place: Place, usage: Usage): Swept {
  const layers = sweepLayers(place, usage);
  const blobs = sweepBlobs(place, usage);
  return { layers: layers.count, blobs: blobs.count, bytes: layers.bytes + blobs.bytes };
}

interface Removed {
  readonly count: number;
  readonly bytes: number;
}

function sweepLayers({ paths, locks }: Place, usage: Usage): Removed {
  // Layers are root's: what a member of the group leaves of them goes when root sweeps.
  if (process.geteuid?.() !== 0) return { count: 0, bytes: 0 };
  const used = () => new Set([...namesUsed(usage.records()), ...usage.podLayers()]);
  return removeUnused(locks, namesIn(paths.layer), layerPin, used, (name) => {
    const size = readLayerNote(paths.layer, name)?.size ?? 0;
    removeLayer(paths, name);
    return size;
  });
}

function sweepBlobs({ locks, blobs }: Place, usage: Usage): Removed {
  const used = () => new Set(usage.records().flatMap(blobsOf));
  return removeUnused(locks, blobs.list(), blobPin, used, (digest) => {
    const size = blobs.size(digest) ?? 0;
    blobs.remove(digest);
    return size;
  });
}

function removeUnused<T extends string>(
  locks: StoreLocks,
  all: readonly T[],
  pinOf: (one: T) => string,
  used: () => ReadonlySet<string>,
  remove: (one: T) => number,
): Removed {
  const before = used();
  const unused = all.filter((one) => !before.has(one));
  let [count, bytes] = [0, 0];
  for (let at = 0; at < unused.length; at += MOST_LOCKS) {
    const removed = removeSome(locks, unused.slice(at, at + MOST_LOCKS), pinOf, used, remove);
    count += removed.count;
    bytes += removed.bytes;
  }
  return { count, bytes };
}

function removeSome<T extends string>(
  locks: StoreLocks,
  candidates: readonly T[],
  pinOf: (one: T) => string,
  used: () => ReadonlySet<string>,
  remove: (one: T) => number,
): Removed {
  const locked = candidates.flatMap((one) => {
    const lock = locks.tryExclusive(pinOf(one));
    return lock === undefined ? [] : [{ one, lock }];
  });
  try {
    const now = used();
    const unused = locked.filter(({ one }) => !now.has(one));
    const bytes = unused.map(({ one, lock }) => retire(locks, pinOf(one), lock, () => remove(one)));
    return { count: unused.length, bytes: bytes.reduce((sum, size) => sum + size, 0) };
  } finally {
    for (const { lock } of locked) lock.release();
  }
}

function retire(locks: StoreLocks, name: string, lock: Lock, remove: () => number): number {
  const size = remove();
  locks.retire(name, lock);
  return size;
}

function namesUsed(records: readonly ImageRecord[]): string[] {
  return records.flatMap(({ layers }) => layers.map(layerName));
}

export function blobsOf({ contents, documents }: ImageRecord): Digest[] {
  const described = documents === undefined ? [] : [documents.manifest, documents.config];
  return [...contents.map(({ blob }) => blob), ...described];
}

/** Downloads that nobody has gone on with for so long, in milliseconds. */
export function sweepPartials({ blobs, locks }: Place, age: number): void {
  for (const partial of blobs.partials()) {
    if (partial.age < age) continue;
    const lock = locks.tryExclusive(partial.name);
    if (lock === undefined) continue;
    removeAny(blobs.partialPath(partial.name));
    locks.retire(partial.name, lock);
  }
}
