import { DEFAULT_EXPANSION, decompressed } from './decompression.ts';
import type { Bytes } from './stream.ts';
import { type Entry, showBytes } from './tar/index.ts';
import { rewritten } from './tar/rewriting.ts';

export interface HostRules {
  /** Undefined: files keep their owners, and what goes with them: set-user-id bits and capabilities. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
  readonly leftOut: (line: string) => void;
}

const SET_ID_BITS = 0o6000;
const MOST_NOTES = 100;
const MOST_DEVICES = 10_000;
const CAPABILITY = 'security.capability';

/**
 * A tar that a guest has made, made fit for this host: a program of a pod's root, or a device that a guest has made up, would be one of
 * this host's. @throws TarError
 */
export function fromGuest(tar: Bytes, { owner, leftOut }: HostRules): Bytes {
  const gone = new Set<string>();
  let count = 0;
  return rewritten(tar, (entry) => {
    const isDevice = entry.kind === 'character' || entry.kind === 'block';
    if (isDevice || (entry.kind === 'hardlink' && gone.has(entry.target))) {
      count += 1;
      if (count <= MOST_NOTES) leftOut(`${showBytes(entry.path)} is left out: is a device`);
      else if (count === MOST_NOTES + 1) leftOut('further devices are left out');
      // Of these a guest can make up any number.
      if (gone.size < MOST_DEVICES) gone.add(entry.path);
      return undefined;
    }
    return owner === undefined ? entry : owned(entry, owner);
  });
}

function owned(entry: Entry, owner: NonNullable<HostRules['owner']>): Entry {
  const xattrs = new Map([...entry.xattrs].filter(([name]) => name !== CAPABILITY));
  return { ...entry, ...owner, mode: entry.mode & ~SET_ID_BITS, xattrs };
}

/** Somebody's tar, perhaps compressed, for a guest: with the attributes alone that images may have. @throws TarError, ImageError */
export function fromOperator(tar: Bytes): Bytes {
  return rewritten(decompressed(tar, DEFAULT_EXPANSION), (entry) => {
    const xattrs = new Map([...entry.xattrs].filter(([name]) => isKept(name)));
    return { ...entry, xattrs };
  });
}

function isKept(name: string): boolean {
  return name === CAPABILITY || (name.startsWith('user.') && !name.startsWith('user.overlay.'));
}
