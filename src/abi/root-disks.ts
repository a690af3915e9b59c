/**
 * Roots of apps on disks of their machine (`POD.rootDisks`), as stage0 hands them to a stage1 whose manifest says that it knows them: which
 * images the machine gets, and which of them are an app's layers. What apps write goes to one scratch disk (`POD.scratch`), below the app's name.
 */
import { AbiError, FieldReader } from './json.ts';

export const ROOT_DISKS_VERSION = 1;
/** Of a stage1's manifest: it takes roots as disks. */
export const ROOT_DISKS_ANNOTATION = 'coreos.com/rkt/stage1/root-disks';

export const ROOT_KINDS = ['virtiofs', 'block'] as const;
/** How the roots of a machine's apps come to it. */
export type MachineRoots = (typeof ROOT_KINDS)[number];

/** Where what makes disks of images may be. */
export const EROFS_PROGRAMS = ['/usr/bin/mkfs.erofs', '/usr/sbin/mkfs.erofs', '/usr/local/bin/mkfs.erofs'];

/** Of pods that neither a flag nor the configuration says one for. */
export const DEFAULT_ROOTS: MachineRoots = 'virtiofs';

/** Each is a disk of the machine; with the scratch disk they are at most eight. */
export const MOST_ROOT_IMAGES = 7;

/** Whether a machine checks what it reads of images, of pods that the configuration does not say it for. */
export const DEFAULT_VERITY = false;

export const DEFAULT_SCRATCH_BYTES = 10 * 1024 ** 3;
export const LEAST_SCRATCH_BYTES = 16 * 1024 ** 2;
export const MOST_SCRATCH_BYTES = 16 * 1024 ** 4;

/**
 * What checks an image: behind its `blocks` blocks of 4 KiB lies their tree of hashes, as dm-verity has it, of SHA-256. Salt and the hash
 * of the tree's root in hexadecimal.
 */
export interface DiskSeal {
  readonly blocks: number;
  readonly salt: string;
  readonly rootHash: string;
}

/** What the file says. */
export type PodRootsPlan =
  /** They are in the share, and why. */
  | { readonly version: typeof ROOT_DISKS_VERSION; readonly kind: 'virtiofs'; readonly reason: string }
  | RootDisksPlan;

export interface RootDisksPlan {
  readonly version: typeof ROOT_DISKS_VERSION;
  readonly kind: 'block';
  /** The most that the apps may have written at a time. */
  readonly scratchBytes: number;
  /** Absolute paths of EROFS images. */
  readonly images: readonly string[];
  /** Theirs, in the same order: the machine believes nothing else of them. Absent: it believes what it reads. */
  readonly seals?: readonly DiskSeal[];
  readonly apps: readonly {
    readonly name: string;
    /** Places in `images`, the top layer first (the order of overlayfs). */
    readonly layers: readonly number[];
  }[];
}

/** @throws AbiError naming the field */
export function parsePodRoots(value: unknown): PodRootsPlan {
  const plan = new FieldReader(value, 'root disks');
  plan.integer('version', ROOT_DISKS_VERSION, ROOT_DISKS_VERSION);
  const kind = plan.word('kind', ROOT_KINDS);
  switch (kind) {
    case 'virtiofs':
      return { version: ROOT_DISKS_VERSION, kind, reason: plan.text('reason') };
    case 'block':
      return { version: ROOT_DISKS_VERSION, kind, ...parseDisks(plan) };
    default:
      return kind satisfies never;
  }
}

function parseDisks(plan: FieldReader): Omit<RootDisksPlan, 'version' | 'kind'> {
  const images = plan.texts('images', MOST_ROOT_IMAGES);
  const seals = plan.has('seals') ? plan.list('seals', MOST_ROOT_IMAGES, parseSeal) : undefined;
  if (seals !== undefined && seals.length !== images.length)
    throw new AbiError('bad-plan', `root disks: ${images.length} images have ${seals.length} seals`);
  return {
    scratchBytes: plan.integer('scratchBytes', LEAST_SCRATCH_BYTES, MOST_SCRATCH_BYTES),
    images,
    ...(seals === undefined ? {} : { seals }),
    apps: plan.list('apps', 4096, (item, where) => {
      const app = new FieldReader(item, where);
      const layers = app.integers('layers', MOST_ROOT_IMAGES, 0, images.length - 1);
      return { name: app.text('name'), layers };
    }),
  };
}

const MOST_BLOCKS = 2 ** 40;
const HEX = /^[0-9a-f]{64}$/;

function parseSeal(item: unknown, where: string): DiskSeal {
  const seal = new FieldReader(item, where);
  return {
    blocks: seal.integer('blocks', 1, MOST_BLOCKS),
    salt: hexOf(seal, 'salt'),
    rootHash: hexOf(seal, 'rootHash'),
  };
}

function hexOf(seal: FieldReader, key: string): string {
  const text = seal.text(key, 64);
  if (!HEX.test(text)) throw new AbiError('bad-plan', `${seal.where}.${key}: no 64 digits of hexadecimal`);
  return text;
}
