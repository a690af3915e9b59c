import { createHash } from 'node:crypto';
import { accessSync, constants, createReadStream, statSync } from 'node:fs';
import { EROFS_PROGRAMS } from '../abi/root-disks.ts';
import type { DiskDraft, MadeDisk, SealedDisk, Store } from '../store/index.ts';
import { sealDisk } from './disk-seal.ts';
import { ImageError } from './error.ts';
import type { ImageEvent } from './event.ts';
import { copyLayers } from './layer-copy.ts';
import type { ImportOptions } from './options.ts';

const READ_SIZE = 1024 * 1024;
/** Ends of files would lie between inodes, and make each inode a block to be read by itself: who lists 10,000 small files would wait for as many. */
const SEPARATE = ['-E', 'noinline_data'];
/** For what is no content: names, attributes, and the last block of each file. What has more holes than that is not written out. */
const MORE_BYTES = 4 * 1024 ** 3;
/** Between two looks at how far mkfs has come: it says nothing itself. */
const LOOK_MS = 200;

/** Undefined where it is not installed. */
export function diskImageMaker(): string | undefined {
  return EROFS_PROGRAMS.find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Gives a read-only file system, for a machine, of layers by their names in the store, the lowest first: one as it is, with the marks
 * of what it removes, several as they look together. Made when it is not there. @throws ImageError `system`
 */
export function ensureDiskImage(
  store: Store,
  layers: readonly string[],
  program: string,
  { report, signal }: DiskOptions,
): Promise<SealedDisk> {
  const make = async (draft: DiskDraft): Promise<MadeDisk> => {
    using _ = report && observed(draft, report);
    const made = await makeDiskImage(draft, program, signal);
    report?.({ kind: 'disk-done', layer: draft.digest });
    return made;
  };
  const waits = () => report?.({ kind: 'wait', what: `a disk of layer ${layers.at(-1)}` });
  return store.diskImages.ensure(layers, make, signal, waits);
}

export type DiskOptions = Pick<ImportOptions, 'report' | 'signal'>;

/** Reports how large the file is by now. */
function observed(
  { image, bytes, digest: layer }: DiskDraft,
  report: (event: ImageEvent) => void,
): Disposable {
  const look = () => {
    const size = statSync(image, { throwIfNoEntry: false })?.size ?? 0;
    report({ kind: 'disk-progress', layer, read: Math.min(size, bytes), total: bytes });
  };
  look();
  const timer = setInterval(look, LOOK_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

async function makeDiskImage(
  { layers, directory, image, bytes }: DiskDraft,
  program: string,
  signal: AbortSignal | undefined,
): Promise<MadeDisk> {
  const [only] = layers;
  const tree = layers.length === 1 && only !== undefined ? only : directory;
  if (tree === directory) await copyLayers(layers, directory);
  // Loaded when needed: it is larger than all of stage0.
  const { run } = await import('../os/run.ts');
  const most = 2 * bytes + MORE_BYTES;
  // Nobody waits for one whose caller was killed.
  const bounds = ['--pdeathsig=KILL', 'prlimit', `--fsize=${most}`, '--core=0'];
  const words = ['--quiet', '--preserve-mtime', ...SEPARATE, image, tree];
  const made = await run('setpriv', [...bounds, program, ...words], {
    reject: false,
    ...(signal === undefined ? {} : { cancelSignal: signal }),
  });
  signal?.throwIfAborted();
  if (made.failed)
    throw new ImageError('system', `${program}: ${made.stderr.trim() || (made.shortMessage ?? 'failed')}`);
  return await sealDisk(image, signal);
}

export async function diskDigest(path: string, signal: AbortSignal | undefined): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: READ_SIZE })) {
    signal?.throwIfAborted();
    hash.update(chunk);
  }
  return `sha256:${hash.digest('hex')}`;
}
