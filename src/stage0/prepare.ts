import { importImage, parseReference } from '../image/index.ts';
import type { Pod } from '../pod/pod.ts';
import { type ImageRecord, openStore, type Store } from '../store/index.ts';
import type { AppRequest } from './app-request.ts';
import { Stage0Error } from './errors.ts';
import type { Attention, Host } from './host.ts';
import { checkPlatform } from './platform.ts';
import { writePodFiles, writeStage1 } from './pod-files.ts';
import { completeApp, type PodApp, type PodRequest, podApp, podManifest } from './pod-request.ts';
import { makeRoots, type RootKind } from './roots.ts';
import { resolveStage1, type Stage1Choice } from './stage1-image.ts';

export interface PrepareRequest {
  readonly pod: PodRequest;
  readonly stage1: Stage1Choice;
  readonly roots: RootKind;
}

export interface Prepared {
  readonly stage1: ImageRecord;
  readonly apps: readonly PodApp[];
}

/**
 * Fills the directory of a pod that is ours and in phase `prepare`: resolves the images, imports what the store
 * lacks, and writes all that the stage1 reads. The caller holds the prepare lock, so that no image goes meanwhile.
 */
export async function prepare(
  host: Host,
  pod: Pod,
  request: PrepareRequest,
  attention: Attention,
): Promise<Prepared> {
  const store = openStore(host.dataDirectory);
  const stage1 = await resolveStage1(host, store, request.stage1, attention);
  writeStage1(pod.path, stage1);
  const apps = await resolveApps(host, store, request.pod, attention);
  const manifest = request.pod.kind === 'manifest' ? request.pod.manifest : podManifest(apps);
  const complete = { ...manifest, apps: apps.map(({ app }) => app) };
  const mountPlan = await makeRoots(host, store, pod.path, { stage1, apps }, request.roots);
  writePodFiles(pod.path, { manifest: complete, apps, stage1, mountPlan });
  return { stage1, apps };
}

async function resolveApps(
  host: Host,
  store: Store,
  request: PodRequest,
  attention: Attention,
): Promise<readonly PodApp[]> {
  const apps =
    request.kind === 'apps' ? await importApps(host, store, request, attention) : fromStore(store, request);
  for (const { image } of apps) checkPlatform(image.manifest);
  return apps;
}

// One after another: two apps of one image would import it twice.
async function importApps(
  host: Host,
  store: Store,
  { apps, environment }: PodRequest & { kind: 'apps' },
  attention: Attention,
): Promise<PodApp[]> {
  const found: PodApp[] = [];
  for (const app of apps) found.push(podApp(app, await importApp(host, store, app, attention), environment));
  return found;
}

function importApp(host: Host, store: Store, app: AppRequest, attention: Attention): Promise<ImageRecord> {
  const reference = parseReference(app.image, process.cwd());
  return importImage(store, reference, { ...attention, insecureImage: host.insecure.has('image') });
}

function fromStore(store: Store, { manifest }: PodRequest & { kind: 'manifest' }): PodApp[] {
  return manifest.apps.map((app, index) => {
    const image = store.get(app.image.id);
    if (image === undefined)
      throw new Stage0Error('bad-image', `apps[${index}].image.id: no image ${app.image.id} in the store`);
    store.touch(image.id);
    return completeApp(app, image);
  });
}
