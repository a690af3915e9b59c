/** What a pod asks for that only other flavours have. Pure. */
import { NO_RESTART } from '../src/abi/boot-plan.ts';
import type { RunArguments } from '../src/abi/stage1.ts';
import { DEFAULT_MODES } from '../src/abi/stream-modes.ts';
import type { IdMap } from '../src/abi/volume-plan.ts';
import type { FileKind } from '../src/native/stat.ts';
import { SupervisorError } from '../src/supervisor/error.ts';
import type { Pod, PodApp } from '../src/supervisor/plan/pod.ts';

/** @throws SupervisorError `unsupported` */
export function onlyApp({ apps }: Pod, { mutable }: RunArguments): PodApp {
  if (mutable) throw new SupervisorError('unsupported', 'stage1-fly has no pods whose apps come and go');
  const [app] = apps;
  if (app === undefined || apps.length > 1)
    throw new SupervisorError('unsupported', `stage1-fly runs pods of one app, not of ${apps.length}`);
  return app;
}

/** Isolators and event handlers, none of which has an effect. */
export function unenforced({ manifest, apps }: Pod): string[] {
  const isolators = [...manifest.isolators, ...apps.flatMap(({ app }) => app.isolators)];
  const handlers = apps.flatMap(({ app }) => app.eventHandlers);
  return [
    ...isolators.map(({ name }) => `isolator ${name} is not enforced: stage1-fly isolates nothing`),
    ...handlers.map(({ name }) => `event handler ${name} is not run by stage1-fly`),
  ];
}

/** A line for each thing that was asked for and makes no difference. `ports`: how many of the host are to lead to the pod. */
export function ignored({ net, hostname, ipc }: RunArguments, { apps }: Pod, ports: number): string[] {
  return [
    ...(net === 'default' || net === 'host'
      ? []
      : [`--net=${net} is ignored: the app is on the host's network`]),
    ...(ports === 0 ? [] : ["no port is published: the app listens on the host's own"]),
    ...(hostname === null ? [] : [`the host name ${hostname} is ignored: the app has the host's own`]),
    ...(ipc === 'private' ? ["--ipc=private is ignored: the app has the host's IPC"] : []),
    ...apps.flatMap(ofApp),
  ];
}

/** A volume as an app has it. */
export interface GivenVolume {
  readonly key: string;
  readonly kind: FileKind;
  readonly readOnly: boolean;
  readonly idMap: IdMap | null;
}

export function ignoredOfVolume({ key, kind, readOnly, idMap }: GivenVolume): string[] {
  const isDevice = kind === 'char' || kind === 'block';
  return [
    ...(readOnly && isDevice ? ['readOnly=true does not keep the app from writing to the device'] : []),
    ...(idMap === 'auto' ? ['idmap=auto is ignored: ids are as they are on the host'] : []),
  ].map((line) => `volume ${key}: ${line}`);
}

function ofApp({ name, restart, health, notify, streams }: PodApp): string[] {
  const hasUsualStreams = Object.entries(DEFAULT_MODES).every(
    ([key, mode]) => streams[key as keyof typeof streams] === mode,
  );
  return [
    ...(restart.policy === NO_RESTART.policy ? [] : ['its restart policy is ignored']),
    ...(health === undefined ? [] : ['its health check is ignored']),
    ...(notify ? ['that it says itself when it is ready is ignored'] : []),
    ...(hasUsualStreams ? [] : ["the modes of its streams are ignored: it has the caller's"]),
  ].map((line) => `app ${name}: ${line}`);
}
