import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ensureSharedDirectory } from '../os/shared-directory.ts';

/**
 * Directories of the store, below `cas/` of the data directory. Members of the group `rkt` bring images in and take them out without
 * being root, as in rkt. Layers hold setuid programs and devices of images: nobody but root may pass. What makes an image a
 * stage1, whose programs run as root of the host, is for root alone to say.
 */
const DIRECTORIES = {
  /** What is known of each image. */
  image: 0o2770,
  /** Which local file was which image. */
  source: 0o2770,
  /** Which name or address was which image, and when. */
  remote: 0o2770,
  /** What was fetched, by digest. */
  blob: 0o2770,
  /** What has been fetched in part: it is taken up again. */
  partial: 0o2770,
  locks: 0o2770,
  layer: 0o700,
  tmp: 0o700,
  stage1: 0o700,
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
const SHARED = 0o2770;

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

export function makeStoreDirectories(dataDirectory: string): void {
  mkdirSync(dirname(dataDirectory), { recursive: true });
  ensureSharedDirectory(dataDirectory);
  ensureSharedDirectory(join(dataDirectory, 'cas'), SHARED);
  const paths = storePaths(dataDirectory);
  // Who is not root does not get to make what is root's alone: the next who is root does.
  const isRoot = process.geteuid?.() === 0;
  for (const name of NAMES) {
    if (isRoot || DIRECTORIES[name] === SHARED) ensureSharedDirectory(paths[name], DIRECTORIES[name]);
  }
}
