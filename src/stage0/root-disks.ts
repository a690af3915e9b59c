/** How the roots of a machine's apps come to it: as disks, made before the pod starts, or shared. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseMountPlan } from '../abi/mount-plan.ts';
import { appRootfs, POD } from '../abi/pod-directory.ts';
import {
  DEFAULT_ROOTS,
  DEFAULT_SCRATCH_BYTES,
  DEFAULT_VERITY,
  type MachineRoots,
  type PodRootsPlan,
  ROOT_DISKS_ANNOTATION,
  ROOT_DISKS_VERSION,
} from '../abi/root-disks.ts';
import { annotationValue, readImageManifest, readPodManifest } from '../appc/index.ts';
import { type DiskOptions, diskImageMaker, ensureDiskImage } from '../image/index.ts';
import { replaceFile } from '../os/durable.ts';
import type { Pod } from '../pod/pod.ts';
import { openStore, type SealedDisk } from '../store/index.ts';
import { Stage0Error } from './errors.ts';
import type { Host } from './host.ts';
import { type AppLayers, planImages } from './root-disks-plan.ts';
import { readVolumes } from './volume-files.ts';

/** What `--rootfs` and `--scratch-size`, which asks for disks, ask for; absent: what the configuration says. */
export interface RootsRequest {
  readonly rootfs?: MachineRoots;
  readonly scratchBytes?: number;
  readonly mutable?: boolean;
}

const FILE_MODE = 0o640;
/** With the scratch disk, and as many network interfaces as pods mostly have: a machine has room for 28 devices. */
const MOST_DISKS = 19;

/** Says what the pod, which is ours and filled, is to have. Throws Stage0Error `unsupported` where it cannot have what is asked for. */
export async function readyRoots(
  host: Host,
  pod: Pod,
  request: RootsRequest,
  options: DiskOptions,
): Promise<void> {
  const stage1 = readImageManifest(readFileSync(join(pod.path, POD.stage1Manifest), 'utf8'));
  if (annotationValue(stage1.annotations, ROOT_DISKS_ANNOTATION) !== 'true') {
    const flag = request.rootfs === undefined ? 'scratch-size' : 'rootfs';
    if (request.rootfs !== undefined || request.scratchBytes !== undefined)
      throw new Stage0Error('unsupported', `--${flag}: ${stage1.name} runs no virtual machine of ours`);
    return;
  }
  const plan = await planRoots(host, pod, request, options);
  if (plan.kind === 'virtiofs' && askedFor(request) === 'block') {
    const flag = request.rootfs === 'block' ? 'rootfs=block' : 'scratch-size';
    throw new Stage0Error('unsupported', `--${flag}: ${plan.reason}`);
  }
  replaceFile(join(pod.path, POD.rootDisks), JSON.stringify(plan), FILE_MODE);
}

function askedFor({ rootfs, scratchBytes }: RootsRequest): MachineRoots | undefined {
  return rootfs ?? (scratchBytes === undefined ? undefined : 'block');
}

async function planRoots(
  host: Host,
  pod: Pod,
  request: RootsRequest,
  options: DiskOptions,
): Promise<PodRootsPlan> {
  const { rootfs, scratchBytes, verity = DEFAULT_VERITY } = host.configuration.machine;
  const kind = askedFor(request) ?? rootfs ?? DEFAULT_ROOTS;
  if (kind === 'virtiofs') return shared('nothing else is asked for');
  if (request.mutable === true) return shared('apps come to a machine that runs as files, not as disks');
  const program = diskImageMaker();
  if (program === undefined) return shared('mkfs.erofs is not installed: install erofs-utils');
  const store = openStore(host.dataDirectory);
  const layers = layersOfApps(pod, store.layerDirectory);
  if (layers === undefined) return shared("the roots are the pod's own copies");
  const images = planImages(layers);
  if (images === undefined) return shared('the apps have too many images for the disks of a machine');
  if (images.images.length + diskVolumes(pod) > MOST_DISKS)
    return shared('volumes take the disks of the machine');
  const disks: SealedDisk[] = [];
  try {
    for (const image of images.images) disks.push(await ensureDiskImage(store, image, program, options));
  } catch (error) {
    options.signal?.throwIfAborted();
    const reason = error instanceof Error ? error.message : String(error);
    options.report?.({ kind: 'disk-refused', reason });
    return shared(reason);
  }
  return {
    version: ROOT_DISKS_VERSION,
    kind: 'block',
    scratchBytes: request.scratchBytes ?? scratchBytes ?? DEFAULT_SCRATCH_BYTES,
    images: disks.map(({ path }) => path),
    ...(verity ? { seals: disks.map(({ seal }) => seal) } : {}),
    apps: images.apps,
  };
}

/** Each is a disk of the machine as well. */
function diskVolumes({ path }: Pod): number {
  return readVolumes(path).volumes.filter(({ kind }) => kind === 'limited' || kind === 'block').length;
}

function shared(reason: string): PodRootsPlan {
  return { version: ROOT_DISKS_VERSION, kind: 'virtiofs', reason };
}

/** Undefined where they are no overlays of the store's layers. */
function layersOfApps({ path }: Pod, layerDirectory: string): AppLayers[] | undefined {
  const { mounts } = parseMountPlan(JSON.parse(readFileSync(join(path, POD.mountPlan), 'utf8')));
  const { apps } = readPodManifest(readFileSync(join(path, POD.manifest), 'utf8'));
  const found: AppLayers[] = [];
  for (const { name } of apps) {
    const step = mounts.find(({ target }) => target === appRootfs(name));
    // An image without layers is mounted from the directory that its changes go to.
    if (step?.kind === 'bind' && step.source.startsWith(`${POD.overlay}/`)) found.push({ name, layers: [] });
    else if (step?.kind !== 'overlay' || step.lowerBase !== layerDirectory) return undefined;
    else found.push({ name, layers: step.lower.map(nameOf).reverse() });
  }
  return found;
}

function nameOf(lower: string): string {
  return lower.replace(/\/rootfs$/, '');
}
