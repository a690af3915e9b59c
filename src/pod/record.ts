import type { NetInfo } from '../abi/net-info.ts';
import {
  appImageId,
  appImageManifest,
  appState as appStateFile,
  appStatus,
  POD,
  READY,
} from '../abi/pod-directory.ts';
import { type PrivateUsers, parsePrivateUsers } from '../abi/private-users.ts';
import { type PublishedPort, parsePublishedPorts } from '../abi/published-ports.ts';
import { MUTABLE_ANNOTATION } from '../abi/stage1.ts';
import { annotationValue } from '../appc/annotations.ts';
import { readImageManifest } from '../appc/image-manifest.ts';
import type { StringMap } from '../appc/json.ts';
import { sortedMap, withoutUndefined } from '../appc/json-value.ts';
import { labelValue } from '../appc/labels.ts';
import { type PodManifest, type RuntimeApp, readPodManifest } from '../appc/pod-manifest.ts';
import type { PodUUID } from '../appc/uuid.ts';
import { type AppLife, readLife } from './app-life.ts';
import { type AppMount, mountsOf, readVolumePlan } from './app-mounts.ts';
import { type PodReference, podPath } from './directory.ts';
import { holdsName, nameIn } from './name.ts';
import { readNetworks } from './networks.ts';
import { currentState, type Observation, observe } from './observation.ts';
import { parsedOnce } from './parsed-once.ts';
import type { State } from './state.ts';

const podManifest = parsedOnce(readPodManifest);
const imageManifest = parsedOnce(readImageManifest);

/** What is known of a pod. Times are nanoseconds since 1970. */
export interface PodRecord {
  readonly uuid: PodUUID;
  readonly state: State;
  /** What it was called with `--pod-name`, as long as it keeps that name from others. */
  readonly podName?: string;
  readonly created?: bigint;
  readonly started?: bigint;
  /** Of the supervisor, also after it has ended. */
  readonly pid?: number;
  readonly isReady: boolean;
  /** Runs, but stands still. */
  readonly isPaused: boolean;
  /** Apps come and go while it runs. */
  readonly isMutable?: boolean;
  /** As long as it is on them; absent where its stage1 does not tell. */
  readonly networks?: readonly NetInfo[];
  /** Of the host, that lead to it as long as it runs. */
  readonly ports?: readonly PublishedPort[];
  /** Of its own. */
  readonly privateUsers?: PrivateUsers;
  readonly userAnnotations?: StringMap;
  readonly userLabels?: StringMap;
  readonly apps: readonly AppRecord[];
}

export interface AppRecord extends AppLife {
  readonly name: string;
  readonly state: 'created' | 'running' | 'exited' | 'unknown';
  readonly imageId: string;
  /** `example.com/app:1.0`. */
  readonly imageName?: string;
  readonly created?: bigint;
  readonly finished?: bigint;
  /** As its shell would see it; absent as long as it runs, and when it was killed with its supervisor. */
  readonly exitCode?: number;
  /** Its volumes. */
  readonly mounts?: readonly AppMount[];
  readonly userAnnotations?: StringMap;
  readonly userLabels?: StringMap;
}

/** Reads a pod, or undefined when it is gone. Throws AppcError when its manifest is not one. */
export function readPod(reference: PodReference): PodRecord | undefined {
  using pod = observe(reference);
  // The state first: an app that ends meanwhile may be shown as ended in a running pod, never the reverse.
  const state = currentState(reference);
  if (pod === undefined || state === undefined) return undefined;
  const manifest = manifestOf(pod);
  const started = pod.modified(POD.pid) ?? pod.modified(POD.ppid);
  const volumes = readVolumePlan(pod);
  const appOf = (app: RuntimeApp): AppRecord =>
    withoutUndefined({
      ...readApp(pod, app, state, started, isMutable(manifest)),
      mounts: volumes && mountsOf(app.name, volumes, podPath(pod.reference)),
    });
  return withoutUndefined({
    uuid: reference.uuid,
    state,
    podName: holdsName(state) ? nameIn(pod.text(POD.name)) : undefined,
    created: pod.modified(POD.created),
    started,
    pid: pidOf(pod),
    isReady: pod.link(POD.supervisorStatus) === READY,
    // One that was killed while it stood still has left the file behind.
    isPaused: state === 'running' && pod.modified(POD.paused) !== undefined,
    isMutable: isMutable(manifest) ? true : undefined,
    networks: readNetworks(pod),
    ports: state === 'running' ? portsOf(pod) : undefined,
    privateUsers: privateUsersIn(pod),
    userAnnotations: sortedMap(manifest?.userAnnotations ?? {}),
    userLabels: sortedMap(manifest?.userLabels ?? {}),
    apps: (manifest?.apps ?? []).map(appOf),
  });
}

/** What its supervisor had to say, of lasting interest: a line each. */
export function readWarnings(reference: PodReference): readonly string[] {
  using pod = observe(reference);
  return (pod?.text(POD.warnings) ?? '').split('\n').filter((line) => line !== '');
}

/** The manifest's text as it was written. Undefined while the pod is being made. */
export function readManifestText(reference: PodReference): string | undefined {
  using pod = observe(reference);
  return pod?.text(POD.manifest);
}

/** As they were claimed. Throws AbiError. */
export function privateUsersIn(pod: Observation): PrivateUsers | undefined {
  const text = pod.text(POD.privateUsers);
  return text === undefined ? undefined : parsePrivateUsers(text);
}

function manifestOf(pod: Observation): PodManifest | undefined {
  const text = pod.text(POD.manifest);
  return text === undefined ? undefined : podManifest(text);
}

function portsOf(pod: Observation): readonly PublishedPort[] | undefined {
  const text = pod.text(POD.ports);
  return text === undefined ? undefined : parsePublishedPorts(text);
}

function pidOf(pod: Observation): number | undefined {
  const pid = Number.parseInt(pod.text(POD.pid) ?? pod.text(POD.ppid) ?? '', 10);
  return pid > 0 ? pid : undefined;
}

function readApp(
  pod: Observation,
  app: RuntimeApp,
  podState: State,
  started: bigint | undefined,
  podIsMutable: boolean,
): AppRecord {
  const status = pod.text(appStatus(app.name));
  const code = Number.parseInt(status ?? '', 10);
  // Only there an app may be with its pod and not have been started yet.
  const isWaiting = podIsMutable && pod.text(appStateFile(app.name)) === undefined;
  const phase = appState(podState, status !== undefined, isWaiting);
  const life = readLife(pod, app, phase === 'running');
  return withoutUndefined({
    name: app.name,
    state: phase,
    imageId: app.image.id,
    imageName: imageNameOf(pod, app),
    created: pod.modified(appImageId(app.name)),
    finished: pod.modified(appStatus(app.name)),
    // Of an app that came later than its pod only its supervisor knows.
    started: podIsMutable ? undefined : started,
    ...life,
    exitCode: Number.isNaN(code) ? undefined : code,
    userAnnotations: sortedMap(app.app?.userAnnotations ?? {}),
    userLabels: sortedMap(app.app?.userLabels ?? {}),
  });
}

function isMutable(manifest: PodManifest | undefined): boolean {
  return annotationValue(manifest?.annotations ?? [], MUTABLE_ANNOTATION) === 'true';
}

function appState(pod: State, hasStatus: boolean, isWaiting: boolean): AppRecord['state'] {
  switch (pod) {
    case 'running':
      if (hasStatus) return 'exited';
      return isWaiting ? 'created' : 'running';
    case 'exited':
    case 'exited deleting':
    case 'exited garbage':
      return 'exited';
    case 'prepared':
      return 'created';
    case 'embryo':
    case 'preparing':
    case 'aborted prepare':
    case 'deleting':
    case 'garbage':
      return 'unknown';
    default:
      return pod satisfies never;
  }
}

function imageNameOf(pod: Observation, app: RuntimeApp): string | undefined {
  const text = pod.text(appImageManifest(app.name));
  if (text === undefined) return app.image.name;
  const image = imageManifest(text);
  const version = labelValue(image.labels, 'version');
  return version === undefined ? image.name : `${image.name}:${version}`;
}
