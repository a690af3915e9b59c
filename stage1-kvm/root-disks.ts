/** Roots of apps on disks of the machine: what stage0 has planned, opened, and as its PID 1 is told. */
import type { RootDiskPlan, RootPlan } from '../src/abi/boot-plan.ts';
import { AbiError } from '../src/abi/json.ts';
import { POD } from '../src/abi/pod-directory.ts';
import {
  type PodRootsPlan,
  parsePodRoots,
  ROOT_DISKS_VERSION,
  type RootDisksPlan,
} from '../src/abi/root-disks.ts';
import { readTextIfPresent } from '../src/native/contents.ts';
import { close, open, open_ } from '../src/native/files.ts';
import { fstat } from '../src/native/stat.ts';
import { makeScratch } from '../src/supervisor/disks/scratch.ts';
import { SupervisorError } from '../src/supervisor/error.ts';
import type { MachineDisk } from '../src/supervisor/volumes/made-volumes.ts';
import type { Accelerator } from './accelerator.ts';

const SCRATCH_SERIAL = 'scratch';
export const SCRATCH_PLAN: RootDiskPlan = { serial: SCRATCH_SERIAL, kind: 'scratch' };

/** What a pod has that was made ready by a stage0 which knows of none. */
const SHARED: PodRootsPlan = {
  version: ROOT_DISKS_VERSION,
  kind: 'virtiofs',
  reason: 'nothing else is asked for',
};

/** @throws SupervisorError `bad-pod` */
export function readPodRoots(): PodRootsPlan {
  const text = readTextIfPresent(POD.rootDisks);
  if (text === undefined) return SHARED;
  try {
    return parsePodRoots(JSON.parse(text));
  } catch (cause) {
    if (!(cause instanceof AbiError || cause instanceof SyntaxError)) throw cause;
    throw new SupervisorError('bad-pod', `${POD.rootDisks}: ${cause.message}`, { cause });
  }
}

/**
 * For PID 1. Instructions for vectors, which the fastest SHA-256 of a kernel is made of, are the slowest of an emulated processor: there the
 * one without them takes half the time.
 */
export function rootDiskPlans(
  { images, seals }: Pick<RootDisksPlan, 'images' | 'seals'>,
  accelerator: () => Accelerator,
): RootDiskPlan[] {
  const algorithm = seals !== undefined && accelerator() === 'tcg' ? 'sha256-generic' : 'sha256';
  const layers = images.map((_, index): RootDiskPlan => {
    const seal = seals?.[index];
    return {
      serial: imageSerial(index),
      kind: 'image',
      seal: seal === undefined ? null : { ...seal, algorithm },
    };
  });
  return [...layers, SCRATCH_PLAN];
}

/** @throws SupervisorError `bad-pod` for an app that is not in the plan */
export function blockRoot({ apps }: Pick<RootDisksPlan, 'apps'>, name: string): RootPlan {
  const app = apps.find((candidate) => candidate.name === name);
  if (app === undefined) throw new SupervisorError('bad-pod', `${POD.rootDisks}: there is no app ${name}`);
  return { kind: 'block', app: name, layers: app.layers.map(imageSerial), scratch: SCRATCH_SERIAL };
}

/** Their fds are for the machine. @throws SupervisorError `bad-pod`, SupervisorError `bad-disk`, `unsupported` */
export function openImageDisks({ images }: RootDisksPlan): MachineDisk[] {
  return images.map((path, index) => openImage(path, imageSerial(index)));
}

/** `like`: that of a saved machine. @throws SupervisorError `bad-disk`, `unsupported` */
export function openScratch({ scratchBytes }: RootDisksPlan, like: number | undefined): MachineDisk {
  return scratchDisk(makeScratch(scratchBytes, like).fd);
}

/** Written to by one machine alone, which cannot tell a failure of the host from its own end: nothing waits for the host's disk. */
export function scratchDisk(fd: number): MachineDisk {
  return { fd, kind: 'file', serial: SCRATCH_SERIAL, readOnly: false, isPassing: true };
}

function openImage(path: string, serial: string): MachineDisk {
  const fd = open(path, open_.readOnly | open_.noFollow | open_.nonBlocking);
  if (fstat(fd).kind === 'file') return { fd, kind: 'file', serial, readOnly: true };
  close(fd);
  throw new SupervisorError('bad-pod', `${path} is no file`);
}

export function imageSerial(index: number): string {
  return `image-${index}`;
}
