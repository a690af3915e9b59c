import type { ExportPlan, ExportRoot } from '../abi/export-plan.ts';
import { appImageId, appImageManifest, appRootfs } from '../abi/pod-directory.ts';
import { parseImageID, readImageManifest } from '../appc/index.ts';
import { type AppTree, type ExportFormat, exportApp } from '../image/index.ts';
import { podsDirectory } from '../pod/directory.ts';
import type { HeldPod } from '../pod/hold.ts';
import { lookUpPod } from '../pod/listing.ts';
import { observe } from '../pod/observation.ts';
import type { State } from '../pod/state.ts';
import { readyChanges } from './changes.ts';
import { Stage0Error } from './errors.ts';
import { appOfExited, holdExited, textOf, upperOf } from './exited-pod.ts';
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
  using pod = await holdExited(lookUpPod(podsDirectory(host.dataDirectory), request.uuid), notExited);
  await using session = new ImageSession(host, attention);
  const app = appOf(pod, request.app);
  await readyChanges(host, pod, app, leftOut, attention.signal);
  const tree = appTree(pod, app, leftOut, attention.signal);
  await exportApp(session.store, tree, request, session.options);
}

/** In rkt's words, and what the state is. */
function notExited(state: State): Stage0Error {
  return new Stage0Error(
    'not-exited',
    `pod is not exited. Only exited pods can be exported: its state is ${state}`,
  );
}

function appOf(pod: HeldPod, wanted: string | undefined): string {
  using files = observe(pod.reference);
  return appOfExited('export', files, wanted);
}

function appTree(
  pod: HeldPod,
  app: string,
  leftOut: (line: string) => void,
  signal: AbortSignal | undefined,
): AppTree {
  using files = observe(pod.reference);
  const target = appRootfs(app);
  const upper = upperOf(files, app);
  const start = (root: ExportRoot, name: string, purpose: ExportPlan['purpose']) =>
    exportTree(pod.path, { root, path: '/', name, purpose }, leftOut, signal);
  return {
    imageId: parseImageID(textOf(files, appImageId(app)).trim()),
    manifest: readImageManifest(textOf(files, appImageManifest(app))),
    whole: (purpose) => start({ kind: 'app', target }, purpose === 'aci' ? 'rootfs' : '', purpose),
    ...(upper === undefined ? {} : { changes: () => start({ kind: 'layer', upper }, '', 'oci') }),
  };
}
