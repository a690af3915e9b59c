/** The pod as stage0 has left it in the current directory. */
import type { RestartPlan } from '../../abi/boot-plan.ts';
import { type HealthPlan, healthOf } from '../../abi/health.ts';
import { AbiError } from '../../abi/json.ts';
import { supportsNotify } from '../../abi/notify.ts';
import { appImageManifest, appRootfs, POD, STAGE2 } from '../../abi/pod-directory.ts';
import { restartOf } from '../../abi/restart.ts';
import type { RunArguments } from '../../abi/stage1.ts';
import { type StreamModes, streamModesOf } from '../../abi/stream-modes.ts';
import { DEFAULT_UMASK, umaskOf } from '../../abi/umask.ts';
import {
  type App,
  AppcError,
  effectiveApp,
  type PodManifest,
  type RuntimeApp,
  readImageManifest,
  readPodManifest,
} from '../../appc/index.ts';
import { readText } from '../../native/contents.ts';
import { SystemError } from '../../native/errors.ts';
import { SupervisorError } from '../error.ts';

export interface PodApp {
  readonly name: string;
  readonly app: App;
  readonly readOnlyRoot: boolean;
  /** Its root file system, seen from the pod's directory. */
  readonly rootfs: string;
  readonly restart: RestartPlan;
  readonly health: HealthPlan | undefined;
  readonly streams: StreamModes;
  /** It says itself when it is ready. */
  readonly notify: boolean;
  readonly umask: number;
}

export interface Pod {
  readonly uuid: string;
  readonly hostname: string;
  readonly manifest: PodManifest;
  readonly apps: readonly PodApp[];
}

/** Where the apps' roots are, each below its name: all that a guest is given. */
export const SHARE_DIRECTORY = `${POD.stage1Rootfs}/${STAGE2}`;

/** @throws SupervisorError `bad-pod` */
export function readPod({ uuid, hostname }: Pick<RunArguments, 'uuid' | 'hostname'>): Pod {
  const manifest = reading(POD.manifest, (path) => readPodManifest(readText(path)));
  return { uuid, hostname: hostname ?? `rkt-${uuid}`, manifest, apps: manifest.apps.map(readApp) };
}

function readApp(runtime: RuntimeApp): PodApp {
  const { name } = runtime;
  const image = reading(appImageManifest(name), (path) => readImageManifest(readText(path)));
  const app = runtime.app ?? reading(appImageManifest(name), () => effectiveApp(image, runtime));
  if (app.exec.length === 0)
    throw new SupervisorError('bad-pod', `app ${name}: no command to run (exec is empty)`);
  const life = reading(POD.manifest, () => ({ restart: restartOf(runtime), health: healthOf(runtime) }));
  const streams = reading(POD.manifest, () => streamModesOf(runtime));
  const umask = reading(POD.manifest, () => umaskOf(runtime)) ?? DEFAULT_UMASK;
  const notify = supportsNotify(runtime.annotations, image.annotations);
  return {
    name,
    app,
    readOnlyRoot: runtime.readOnlyRootFS,
    rootfs: appRootfs(name),
    notify,
    streams,
    umask,
    ...life,
  };
}

function reading<T>(path: string, read: (path: string) => T): T {
  try {
    return read(path);
  } catch (cause) {
    if (!(cause instanceof AppcError || cause instanceof SystemError || cause instanceof AbiError))
      throw cause;
    throw new SupervisorError('bad-pod', `${path}: ${cause.message}`, { cause });
  }
}
