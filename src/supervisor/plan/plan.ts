/** From a pod's manifests, and the few facts that are not in them, to what PID 1 does. Pure. */
import type {
  AppPlan,
  BootPlan,
  CoverPlan,
  FilePlan,
  MachinePlan,
  MountPlanEntry,
  ProcessPlan,
  RestartPlan,
  RootPlan,
  StreamsPlan,
  VolumeSourcePlan,
} from '../../abi/boot-plan.ts';
import type { MadeVolume } from '../../abi/made-volumes.ts';
import type { NetworkPlan } from '../../abi/network-plan.ts';
import { NOTIFY_ENV, NOTIFY_PATH } from '../../abi/notify.ts';
import { type App, type EnvironmentVariable, findIsolator, type Isolator } from '../../appc/index.ts';
import { capabilityNames } from '../../native/capability-names.ts';
import { hostsFile } from '../../net/hosts-file.ts';
import { appFilter } from '../seccomp/app-filter.ts';
import { OWN_ARCHITECTURE } from '../seccomp/architectures.ts';
import type { AppVolumes } from '../volumes/app-volumes.ts';
import { keptCapabilities } from './capabilities.ts';
import { defaultEnvironment } from './environment.ts';
import { planHandlers } from './handlers.ts';
import { planLimits, planRlimits } from './limits.ts';
import { type ProtectedPaths, protectedPaths } from './protected-paths.ts';
import { type KernelShare, planSysctls } from './sysctls.ts';
import type { Identity } from './users.ts';

/** Between SIGTERM and SIGKILL. */
export const STOP_GRACE_SECONDS = 10;

/** What of a pod's plan is a matter of what it lives in. */
export interface Housing {
  /** Where PID 1 finds the root of an app. */
  root(app: string): RootPlan;
  /** Where PID 1 finds what is at that path below the directory of the apps' roots. */
  shared(path: string): VolumeSourcePlan;
  /** It shares none with the host. */
  readonly ownKernel: boolean;
  /** Null where there is none. */
  machine(network: NetworkPlan, volumes: readonly MadeVolume[]): MachinePlan | null;
}

/** An app, with everything looked up. */
export interface AppFacts {
  readonly name: string;
  readonly app: App;
  readonly readOnlyRoot: boolean;
  readonly identity: Identity;
  readonly streams: StreamsPlan;
  readonly restart: RestartPlan;
  readonly notify: boolean;
  readonly volumes: AppVolumes;
  readonly umask: number;
}

export interface PodFacts {
  readonly hostname: string;
  readonly apps: readonly AppFacts[];
  readonly housing: Housing;
  /** TERM of the caller, for apps with a terminal. */
  readonly term: string;
  readonly restrictCapabilities: boolean;
  /** Apps may make nodes of devices, wherever they can write. */
  readonly makesDevices: boolean;
  readonly protectPaths: boolean;
  /** Each app has rules for devices of its own; where not, the pod has them as a whole, or there are none. */
  readonly restrictDevices: boolean;
  readonly filterCalls: boolean;
  /** That the apps run on, as `uname -r` says it. */
  readonly kernel: string;
  /** For all apps, whatever their images say. */
  readonly environment: readonly EnvironmentVariable[];
  readonly staysWhenEmpty: boolean;
  /** Files of the pod's over those of its apps (`names.ts`). */
  readonly covers: readonly CoverPlan[];
  /** Lines of other pods. */
  readonly names: string;
  readonly network: NetworkPlan;
  readonly madeVolumes: readonly MadeVolume[];
  /** Of the pod as a whole. */
  readonly isolators: readonly Isolator[];
  readonly strictIsolators: boolean;
  readonly kernelShare: KernelShare;
}

export function planPod(pod: PodFacts): BootPlan {
  return {
    hostname: pod.hostname,
    machine: pod.housing.machine(pod.network, pod.madeVolumes),
    network: pod.network,
    apps: pod.apps.map((app) => planApp(pod, app)),
    stopGraceSeconds: STOP_GRACE_SECONDS,
    staysWhenEmpty: pod.staysWhenEmpty,
    names: pod.names,
    sysctls: planSysctls(pod.isolators, pod.kernelShare),
    volumes: pod.madeVolumes,
    strict: pod.strictIsolators,
  };
}

/** What a plan of an app needs to know of its pod. */
type AppSurroundings = Pick<
  PodFacts,
  | 'hostname'
  | 'housing'
  | 'term'
  | 'restrictCapabilities'
  | 'makesDevices'
  | 'protectPaths'
  | 'restrictDevices'
  | 'filterCalls'
  | 'kernel'
  | 'environment'
  | 'covers'
  | 'isolators'
>;

export function planApp(pod: AppSurroundings, facts: AppFacts): AppPlan {
  const process = planProcess(pod, facts);
  return {
    name: facts.name,
    root: pod.housing.root(facts.name),
    readOnlyRoot: facts.readOnlyRoot,
    mounts: planMounts(
      facts.volumes.mounts,
      pod.protectPaths ? protectedPaths(pod.housing.ownKernel) : undefined,
    ),
    files: planFiles(pod.hostname).filter(({ path }) => !isInVolume(path, facts.volumes)),
    covers: pod.covers.filter(({ path, content }) => content !== null || !isInVolume(path, facts.volumes)),
    process,
    handlers: planHandlers(facts.app, process),
    limits: planLimits(facts.app.isolators, pod.isolators, pod.restrictDevices, facts.volumes.devices),
    streams: facts.streams,
    restart: facts.restart,
    notify: facts.notify,
  };
}

/** Protection after the mounts that it covers. */
function planMounts(volumes: readonly MountPlanEntry[], paths: ProtectedPaths | undefined): MountPlanEntry[] {
  const safe = ['nosuid', 'nodev', 'noexec'] as const;
  return [
    { kind: 'dev', target: '/dev' },
    { kind: 'filesystem', type: 'proc', target: '/proc', flags: safe, data: '' },
    {
      kind: 'filesystem',
      type: 'sysfs',
      target: '/sys',
      flags: paths === undefined ? safe : [...safe, 'read-only'],
      data: '',
    },
    ...volumes,
    ...(paths?.readOnly ?? []).map((target) => ({ kind: 'read-only', target }) as const),
    ...(paths?.hidden ?? []).map((target) => ({ kind: 'hidden', target }) as const),
  ];
}

/** As in rkt: what a volume brings is the file, and nothing is written to it. */
function isInVolume(path: string, { mounts }: AppVolumes): boolean {
  return mounts.some(({ target }) => path === target || path.startsWith(`${target}/`));
}

/** What an image need not bring; its own files win, as in rkt. */
function planFiles(hostname: string): FilePlan[] {
  return [
    { path: '/etc/hosts', mode: 0o644, content: hostsFile(hostname) },
    { path: '/etc/hostname', mode: 0o644, content: `${hostname}\n` },
  ];
}

function planProcess(pod: AppSurroundings, facts: AppFacts): ProcessPlan {
  const { name, app, identity, streams, notify, umask } = facts;
  const { isolators } = app;
  const term = streams.kind === 'terminal' ? pod.term : undefined;
  const defaults = defaultEnvironment(name, identity, term);
  const capabilities = keptCapabilities(isolators, pod.restrictCapabilities, pod.makesDevices);
  const seccomp = planFilter(pod, app, capabilities);
  const told = notify ? [{ name: NOTIFY_ENV, value: NOTIFY_PATH }] : [];
  return {
    argv: app.exec,
    env: [
      ...new Map(
        [...defaults, ...app.environment, ...pod.environment, ...told].map((entry) => [
          entry.name,
          entry.value,
        ]),
      ),
    ].map(([key, value]) => `${key}=${value}`),
    workingDirectory: app.workingDirectory ?? '/',
    uid: identity.uid,
    gid: identity.gid,
    groups: app.supplementaryGIDs,
    umask,
    capabilities,
    // As in rkt. A program that gains privileges must not have its calls refused by who has none: it may not look at what they return.
    noNewPrivileges:
      (seccomp !== null && identity.uid !== 0) ||
      (findIsolator(isolators, 'no-new-privileges')?.value ?? false),
    seccomp,
    rlimits: planRlimits(isolators),
    oomScoreAdj: findIsolator(isolators, 'oom-score-adj')?.value ?? null,
  };
}

function planFilter(
  pod: AppSurroundings,
  { isolators }: App,
  capabilities: readonly number[],
): string | null {
  if (!pod.filterCalls) return null;
  const names = capabilities.flatMap((number) => capabilityNames[number] ?? []);
  const { kernel } = pod;
  return appFilter(isolators, { architecture: OWN_ARCHITECTURE, capabilities: names, kernel });
}
