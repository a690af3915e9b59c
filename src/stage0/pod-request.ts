import { MUTABLE_ANNOTATION } from '../abi/stage1.ts';
import {
  type ACName,
  absolutePath,
  annotationValue,
  appNameOf,
  blankPodManifest,
  type EnvironmentVariable,
  type ExposedPort,
  effectiveApp,
  type Isolator,
  isEnvironmentName,
  type PodManifest,
  parseACName,
  type RuntimeApp,
  readPodManifest,
} from '../appc/index.ts';
import type { ImageRecord } from '../store/index.ts';
import { type AppRequest, type PodEnvironment, requestedApp } from './app-request.ts';
import { parseEnvironmentFile, parseVariable } from './environment-file.ts';
import { Stage0Error } from './errors.ts';
import { withLife } from './life-request.ts';
import { type Marks, NO_MARKS } from './marks.ts';
import { withStreams } from './stream-request.ts';
import { withUmask } from './umask-request.ts';
import { appcMount, appcVolume, type MountRequest, type VolumeRequest } from './volume-request.ts';

/** What a pod is to be made of: images with what the command line says of each, or a manifest that says it all. */
export type PodRequest =
  | {
      readonly kind: 'apps';
      readonly apps: readonly AppRequest[];
      readonly environment: PodEnvironment;
      /** Of the pod itself. */
      readonly marks?: Marks;
      /** Of the host, that lead to the pod. */
      readonly ports?: readonly ExposedPort[];
      /** Of the pod as a whole. */
      readonly isolators?: readonly Isolator[];
      readonly volumes?: readonly VolumeRequest[];
      /** For all apps that have nothing else at that path. */
      readonly mounts?: readonly MountRequest[];
    }
  | { readonly kind: 'manifest'; readonly manifest: PodManifest };

/** An app and the image it runs from. */
export interface PodApp {
  readonly app: RuntimeApp;
  readonly image: ImageRecord;
  /** What its flags say of the volumes that it has for itself, of which the manifest says less. */
  readonly ownVolumes: readonly VolumeRequest[];
  /** By targets: which part of a volume is there, of which a manifest says nothing. */
  readonly subPaths: ReadonlyMap<string, string>;
}

/** The sources of a pod's environment, as their flags give them. */
export interface EnvironmentRequest {
  readonly inherit: Readonly<Record<string, string | undefined>> | undefined;
  /** `--set-env-file`: path and text. */
  readonly files: readonly { readonly path: string; readonly text: string }[];
  readonly set: readonly string[];
}

/** What a service manager says to this process alone (sd_notify(3), sd_listen_fds(3), sd_watchdog_enabled(3)). */
const OURS: ReadonlySet<string> = new Set([
  'NOTIFY_SOCKET',
  'LISTEN_FDS',
  'LISTEN_PID',
  'LISTEN_FDNAMES',
  'WATCHDOG_USEC',
  'WATCHDOG_PID',
]);

/** Throws Stage0Error `bad-request`. */
export function podEnvironment(request: EnvironmentRequest): PodEnvironment {
  return {
    // A shell exports names that appc has no place for: functions (`BASH_FUNC_x%%`).
    inherited: Object.entries(request.inherit ?? {}).flatMap(([name, value]): EnvironmentVariable[] =>
      value === undefined || !isEnvironmentName(name) || OURS.has(name) ? [] : [{ name, value }],
    ),
    file: request.files.flatMap(({ path, text }) => parseEnvironmentFile(text, path)),
    set: request.set.map((text) => parseVariable(text, '--set-env')),
  };
}

/** One app of a pod by a request and its image. Throws Stage0Error `bad-request`. */
export function podApp(
  request: AppRequest,
  image: ImageRecord,
  { environment, mounts = [] }: Pick<PodRequest & { kind: 'apps' }, 'environment' | 'mounts'>,
): PodApp {
  const own = request.mounts ?? [];
  const isFree = ({ path }: MountRequest) => !own.some((mount) => samePath(mount.path, path));
  const all = [...mounts.filter(isFree), ...own];
  const { name, labels } = image.manifest;
  const app: RuntimeApp = {
    name: request.name === undefined ? appNameOf(name) : requestedName(request.name),
    image: { id: image.id, name, labels },
    app: requestedApp(image.manifest, request, environment),
    readOnlyRootFS: request.readOnlyRootfs,
    mounts: all.map(appcMount),
    annotations: request.marks?.annotations ?? [],
  };
  const living = withLife(withUmask(app, request.umask, image.manifest), request, image.manifest);
  return {
    app: withStreams(living, request.streams ?? {}),
    image,
    ownVolumes: own.flatMap((mount) => mount.own ?? []),
    subPaths: new Map(
      all.flatMap(({ path, subPath }) =>
        subPath === undefined ? [] : [[absolutePath(path), subPath] as const],
      ),
    ),
  };
}

function samePath(one: string, other: string): boolean {
  return absolutePath(one) === absolutePath(other);
}

function requestedName(text: string): ACName {
  try {
    return parseACName(text);
  } catch (cause) {
    throw new Stage0Error('bad-request', `--name: ${JSON.stringify(text)} is no name of an app`, { cause });
  }
}

/** The manifest of a pod of these apps. Throws Stage0Error `bad-request` when two have one name. */
export function podManifest(
  apps: readonly PodApp[],
  marks = NO_MARKS,
  ports: readonly ExposedPort[] = [],
  isolators: readonly Isolator[] = [],
  volumes: readonly VolumeRequest[] = [],
): PodManifest {
  const names = apps.map(({ app }) => app.name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new Stage0Error('bad-request', `multiple apps with name ${twice}`);
  const twin = volumes.find(({ name }, index) => volumes.findIndex((other) => other.name === name) < index);
  if (twin !== undefined) throw new Stage0Error('bad-request', `multiple volumes with name ${twin.name}`);
  refuseMutable(marks.annotations);
  return {
    ...blankPodManifest,
    ...marks,
    ports,
    isolators,
    volumes: volumes.map(appcVolume),
    apps: apps.map(({ app }) => app),
  };
}

/** Reads the text of a `--pod-manifest`. Throws AppcError, Stage0Error `bad-request`. */
export function parsePodRequest(text: string): PodRequest {
  const manifest = readPodManifest(text);
  if (manifest.apps.length === 0) throw new Stage0Error('bad-request', 'apps: the pod manifest has no app');
  refuseMutable(manifest.annotations);
  return { kind: 'manifest', manifest };
}

/** The app of a manifest with its command filled in from the image. Throws AppcError `no-app`. */
export function completeApp(app: RuntimeApp, image: ImageRecord): PodApp {
  const complete = withUmask({ ...app, app: effectiveApp(image.manifest, app) }, undefined, image.manifest);
  return {
    app: withStreams(withLife(complete, {}, image.manifest), {}),
    image,
    ownVolumes: [],
    subPaths: new Map(),
  };
}

/** It is no property that a pod is given: it says how the pod was made. */
function refuseMutable(annotations: PodManifest['annotations']): void {
  if (annotationValue(annotations, MUTABLE_ANNOTATION) === undefined) return;
  throw new Stage0Error(
    'bad-request',
    `annotation ${MUTABLE_ANNOTATION}: a mutable pod is made by "rkt app sandbox"`,
  );
}
