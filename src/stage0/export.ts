import type { ExportPlan, ExportRoot } from '../abi/export-plan.ts';
import { parseMountPlan } from '../abi/mount-plan.ts';
import { appImageId, appImageManifest, appRootfs, POD } from '../abi/pod-directory.ts';
import { parseImageID, readImageManifest, readPodManifest } from '../appc/index.ts';
import { type AppTree, type ExportFormat, exportApp } from '../image/index.ts';
import { type PodReference, podsDirectory } from '../pod/directory.ts';
import { type HeldPod, hold } from '../pod/hold.ts';
import { lookUpPod } from '../pod/listing.ts';
import { type Observation, observe } from '../pod/observation.ts';
import { chooseApp } from './app-choice.ts';
import { Stage0Error } from './errors.ts';
import type { Attention, Host } from './host.ts';
import { ImageSession } from './image-session.ts';
import { exportTree } from './tree-export.ts';

export interface PodExportRequest {
  /** A UUID or the beginning of one. */
  readonly uuid: string;
  /** Undefined: the pod has only one. */
  readonly app: string | undefined;
  readonly path: string;
  readonly format: ExportFormat;
  readonly overwrite: boolean;
}

/**
 * Writes an app of an exited pod to a file, as an image. The pod is held meanwhile: nobody removes it. `leftOut` is told what of the
 * app's files an image cannot hold. Throws Stage0Error `not-exited`, `bad-request`, `no-pod`, `bad-tree`, ImageError, OciError.
 */
export async function exportPod(
  host: Host,
  request: PodExportRequest,
  attention: Attention,
  leftOut: (line: string) => void,
): Promise<void> {
  using pod = await holdExited(lookUpPod(podsDirectory(host.dataDirectory), request.uuid));
  await using session = new ImageSession(host, attention);
  const tree = appTree(pod, request.app, leftOut, attention.signal);
  await exportApp(session.store, tree, request, session.options);
}

/** Throws Stage0Error `not-exited`. */
async function holdExited(found: PodReference): Promise<HeldPod> {
  const holding = await hold(found);
  switch (holding.kind) {
    case 'held':
      if (holding.pod.state === 'exited' || holding.pod.state === 'exited garbage') return holding.pod;
      holding.pod.lock.release();
      throw notExited(holding.pod.state);
    case 'busy':
      throw notExited(holding.state);
    case 'gone':
      throw new Stage0Error('no-pod', `pod ${JSON.stringify(found.uuid)} was removed`);
    default:
      return holding satisfies never;
  }
}

/** In rkt's words, and what the state is. */
function notExited(state: string): Stage0Error {
  return new Stage0Error(
    'not-exited',
    `pod is not exited. Only exited pods can be exported: its state is ${state}`,
  );
}

function appTree(
  pod: HeldPod,
  wanted: string | undefined,
  leftOut: (line: string) => void,
  signal: AbortSignal | undefined,
): AppTree {
  using files = observe(pod.reference);
  const { apps } = readPodManifest(textOf(files, POD.manifest));
  const app = chooseApp(
    'export',
    apps.map(({ name }) => name),
    wanted,
  );
  const target = appRootfs(app);
  const upper = upperOf(textOf(files, POD.mountPlan), target);
  const start = (root: ExportRoot, name: string, purpose: ExportPlan['purpose']) =>
    exportTree(pod.path, { root, path: '/', name, purpose }, leftOut, signal);
  return {
    imageId: parseImageID(textOf(files, appImageId(app)).trim()),
    manifest: readImageManifest(textOf(files, appImageManifest(app))),
    whole: (purpose) => start({ kind: 'app', target }, purpose === 'aci' ? 'rootfs' : '', purpose),
    ...(upper === undefined ? {} : { changes: () => start({ kind: 'layer', upper }, '', 'oci') }),
  };
}

/** A pod that was cut short by a power cut may have empty files. */
function textOf(files: Observation | undefined, name: string): string {
  const text = files?.text(name);
  if (text?.trim()) return text;
  throw new Stage0Error('bad-tree', `the pod is not whole: it has no ${name}`);
}

function upperOf(plan: string, target: string): string | undefined {
  const step = parseMountPlan(JSON.parse(plan)).mounts.find((candidate) => candidate.target === target);
  return step?.kind === 'overlay' ? step.upper : undefined;
}
