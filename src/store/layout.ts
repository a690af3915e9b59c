import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ensureSharedDirectory } from '../os/shared-directory.ts';
import { isSystemError } from '../os/syscall.ts';
import { noAccess } from './names.ts';

/** Blobs have a directory for each. */
export const BLOB_ALGORITHMS = ['sha256', 'sha512'] as const;

const SHARED = 0o2770;
const SEEN = 0o2750;
const PRIVATE = 0o700;

/**
 * Directories of the store, below `cas/` of the data directory. Members of the group `rkt` bring images in and take them out without
 * being root, as in rkt. Layers hold setuid programs and devices of images: nobody but root may pass. What makes an image a
 * stage1, whose programs run as root of the host, is for root alone to say. What is above these directories is root's, so that nobody
 * can put another one in the place of one.
 */
const DIRECTORIES = {
  /** What is known of each image. */
  image: SHARED,
  /** Which local file was which image: also the file of a stage1. */
  source: PRIVATE,
  /** Which name or address was which image, and when. */
  remote: SHARED,
  /** What was fetched, by digest: a directory for each algorithm. */
  blob: SEEN,
  /** What has been fetched in part: it is taken up again. */
  partial: SHARED,
  locks: SHARED,
  layer: PRIVATE,
  tmp: PRIVATE,
  stage1: PRIVATE,
} as const;

type Name = keyof typeof DIRECTORIES;
export type StorePaths = Readonly<Record<Name, string>>;

const NAMES: readonly Name[] = [
  'image',
  'source',
  'remote',
  'blob',
  'partial',
  'locks',
  'layer',
  'tmp',
  'stage1',
];

export function storePaths(dataDirectory: string): StorePaths {
  const at = (name: Name) => join(dataDirectory, 'cas', name);
  return {
    image: at('image'),
    source: at('source'),
    remote: at('remote'),
    blob: at('blob'),
    partial: at('partial'),
    locks: at('locks'),
    layer: at('layer'),
    tmp: at('tmp'),
    stage1: at('stage1'),
  };
}

/** @throws StoreError no-access */
export function makeStoreDirectories(dataDirectory: string): void {
  try {
    mkdirSync(dirname(dataDirectory), { recursive: true });
    ensureSharedDirectory(dataDirectory);
    makeDirectories(dataDirectory);
  } catch (error) {
    if (isSystemError(error, 'EACCES')) throw noAccess(`use the store of ${dataDirectory}`, error);
    throw error;
  }
}

function makeDirectories(dataDirectory: string): void {
  ensureSharedDirectory(join(dataDirectory, 'cas'), SEEN);
  const paths = storePaths(dataDirectory);
  // Who is not root does not get to make what is root's alone: the next who is root does.
  const isRoot = process.geteuid?.() === 0;
  for (const name of NAMES) {
    if (isRoot || DIRECTORIES[name] !== PRIVATE) ensureSharedDirectory(paths[name], DIRECTORIES[name]);
  }
  for (const algorithm of BLOB_ALGORITHMS) ensureSharedDirectory(join(paths.blob, algorithm), SHARED);
}
