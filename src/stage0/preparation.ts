import { fetchImage, parseReference, readyImage } from '../image/index.ts';
import type { PodName } from '../pod/name.ts';
import type { Pod } from '../pod/pod.ts';
import { checkProfiles } from './apparmor.ts';
import { Stage0Error } from './errors.ts';
import type { Attention, Host } from './host.ts';
import { ImageSession } from './image-session.ts';
import type { PullPolicy } from './images.ts';
import { withLogSize } from './log-size.ts';
import { checkPlatform } from './platform.ts';
import { writePodFiles, writeStage1 } from './pod-files.ts';
import { completeApp, type PodApp, type PodRequest, podApp, podManifest } from './pod-request.ts';
import { planVolumesOf } from './pod-volumes.ts';
import { checkPorts } from './port-request.ts';
import { claimPrivateUsers } from './private-users.ts';
import { makeRoots, type RootKind } from './roots.ts';
import { resolveStage1, type Stage1Choice } from './stage1-image.ts';
import { noteMark } from './timeline.ts';
import { checkKinds, keptSources, makeVolumes } from './volume-files.ts';

/** What a pod is to be made of, and by. */
export interface PrepareRequest {
  readonly pod: PodRequest;
  readonly stage1: Stage1Choice;
  readonly roots: RootKind;
  readonly pullPolicy: PullPolicy;
  /** Credentials files beside those of the configuration. */
  readonly authFiles: readonly string[];
  /** `--pod-name`. */
  readonly name?: PodName;
  /** Bytes that are kept of each output of an app. */
  readonly logSize?: number;
  /** Users of its own. */
  readonly privateUsers?: boolean;
}

/**
 * Fills the directory of a pod that is ours and in phase `prepare`: resolves the images, imports what the store
 * lacks, and writes all that the stage1 reads. What it takes from the store is pinned until the pod says that it uses it.
 */
export async function fillPod(
  host: Host,
  pod: Pod,
  request: PrepareRequest,
  attention: Attention,
): Promise<void> {
  await using session = new ImageSession(host, attention, request.authFiles);
  const stage1 = await resolveStage1(host, session, request.stage1);
  writeStage1(pod.path, stage1);
  const ids =
    request.privateUsers === true ? await claimPrivateUsers(host, pod, stage1, attention.signal) : undefined;
  const apps = await resolveApps(session, request);
  noteMark(pod, 'fetched');
  const manifest =
    request.pod.kind === 'manifest'
      ? request.pod.manifest
      : podManifest(apps, request.pod.marks, request.pod.ports, request.pod.isolators, request.pod.volumes);
  const complete = withLogSize({ ...manifest, apps: apps.map(({ app }) => app) }, request.logSize);
  checkPorts(complete);
  const volumes = planVolumesOf(apps, complete, request.pod.kind === 'apps' ? request.pod.volumes : []);
  checkKinds(stage1.manifest, volumes);
  const roots = await makeRoots(host, session.store, pod.path, { stage1, apps, ids }, request.roots);
  const mountPlan = { ...roots, keep: [...roots.keep, ...keptSources(stage1.manifest, volumes)] };
  makeVolumes(pod.path, volumes);
  writePodFiles(pod.path, { manifest: complete, apps, stage1, mountPlan });
  noteMark(pod, 'prepared');
}

async function resolveApps(
  session: ImageSession,
  { pod, pullPolicy }: PrepareRequest,
): Promise<readonly PodApp[]> {
  const apps =
    pod.kind === 'apps' ? await fetchApps(session, pod, pullPolicy) : await fromStore(session, pod);
  for (const { image } of apps) checkPlatform(image.manifest);
  checkProfiles(apps);
  return apps;
}

// One after another: two apps of one image would fetch it twice.
export async function fetchApps(
  { context, options }: ImageSession,
  pod: PodRequest & { kind: 'apps' },
  pullPolicy: PullPolicy,
): Promise<PodApp[]> {
  const found: PodApp[] = [];
  for (const app of pod.apps) {
    const { signature } = app;
    const reference = parseReference(app.image, process.cwd());
    const request = { reference, pullPolicy, ...(signature === undefined ? {} : { signature }) };
    found.push(podApp(app, await fetchImage(context, request, options), pod));
  }
  return found;
}

async function fromStore(
  { store, options }: ImageSession,
  { manifest }: PodRequest & { kind: 'manifest' },
): Promise<PodApp[]> {
  const found: PodApp[] = [];
  for (const [index, app] of manifest.apps.entries()) {
    const image = store.get(app.image.id);
    if (image === undefined)
      throw new Stage0Error('bad-image', `apps[${index}].image.id: no image ${app.image.id} in the store`);
    found.push(completeApp(app, await readyImage(store, image, options)));
  }
  return found;
}
