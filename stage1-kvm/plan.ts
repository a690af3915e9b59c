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
} from '../src/abi/boot-plan.ts';
import type { NetworkPlan } from '../src/abi/network-plan.ts';
import { NOTIFY_ENV, NOTIFY_PATH } from '../src/abi/notify.ts';
import { type App, findIsolator } from '../src/appc/index.ts';
import { hostsFile } from '../src/net/hosts-file.ts';
import { keptCapabilities } from './capabilities.ts';
import { defaultEnvironment } from './environment.ts';
import { HIDDEN_PATHS, READ_ONLY_PATHS } from './protected-paths.ts';
import type { Identity } from './users.ts';
import { SHARE_TAG } from './vmm.ts';

/** Where PID 1 mounts the share. */
const SHARE_TARGET = '/pod';
/** Between SIGTERM and SIGKILL. */
export const STOP_GRACE_SECONDS = 10;

/** An app, with everything looked up. */
export interface AppFacts {
  readonly name: string;
  readonly app: App;
  readonly readOnlyRoot: boolean;
  readonly identity: Identity;
  readonly streams: StreamsPlan;
  readonly restart: RestartPlan;
  readonly notify: boolean;
}

export interface PodFacts {
  readonly hostname: string;
  readonly apps: readonly AppFacts[];
  readonly clock: MachinePlan['clock'];
  readonly entropy: string;
  /** TERM of the caller, for apps with a terminal. */
  readonly term: string;
  readonly restrictCapabilities: boolean;
  readonly protectPaths: boolean;
  readonly staysWhenEmpty: boolean;
  /** Files of the pod's over those of its apps (`names.ts`). */
  readonly covers: readonly CoverPlan[];
  /** Lines of other pods. */
  readonly names: string;
  readonly network: NetworkPlan;
  /** Those of the initramfs that the pod needs, in the order to load them. */
  readonly modules: readonly string[];
}

export function planPod(pod: PodFacts): BootPlan {
  return {
    hostname: pod.hostname,
    machine: {
      modules: pod.modules,
      clock: pod.clock,
      entropy: pod.entropy,
      shares: [{ tag: SHARE_TAG, target: SHARE_TARGET }],
    },
    network: pod.network,
    apps: pod.apps.map((app) => planApp(pod, app)),
    stopGraceSeconds: STOP_GRACE_SECONDS,
    staysWhenEmpty: pod.staysWhenEmpty,
    names: pod.names,
  };
}

/** What a plan of an app needs to know of its pod. */
type AppSurroundings = Pick<
  PodFacts,
  'hostname' | 'term' | 'restrictCapabilities' | 'protectPaths' | 'covers'
>;

export function planApp(pod: AppSurroundings, facts: AppFacts): AppPlan {
  return {
    name: facts.name,
    root: rootOf(facts.name),
    readOnlyRoot: facts.readOnlyRoot,
    mounts: planMounts(pod.protectPaths),
    files: planFiles(pod.hostname),
    covers: pod.covers,
    process: planProcess(pod, facts),
    streams: facts.streams,
    restart: facts.restart,
    notify: facts.notify,
  };
}

export function rootOf(app: string): RootPlan {
  return { kind: 'virtiofs', tag: SHARE_TAG, path: `${app}/rootfs` };
}

/** Protection after the mounts that it covers. */
function planMounts(protectPaths: boolean): MountPlanEntry[] {
  const safe = ['nosuid', 'nodev', 'noexec'] as const;
  return [
    { kind: 'dev', target: '/dev' },
    { kind: 'filesystem', type: 'proc', target: '/proc', flags: safe, data: '' },
    {
      kind: 'filesystem',
      type: 'sysfs',
      target: '/sys',
      flags: protectPaths ? [...safe, 'read-only'] : safe,
      data: '',
    },
    ...(protectPaths
      ? [
          ...READ_ONLY_PATHS.map((target) => ({ kind: 'read-only', target }) as const),
          ...HIDDEN_PATHS.map((target) => ({ kind: 'hidden', target }) as const),
        ]
      : []),
  ];
}

/** What an image need not bring; its own files win, as in rkt. */
function planFiles(hostname: string): FilePlan[] {
  return [
    { path: '/etc/hosts', mode: 0o644, content: hostsFile(hostname) },
    { path: '/etc/hostname', mode: 0o644, content: `${hostname}\n` },
  ];
}

function planProcess(pod: AppSurroundings, facts: AppFacts): ProcessPlan {
  const { name, app, identity, streams, notify } = facts;
  const { isolators } = app;
  const term = streams.kind === 'terminal' ? pod.term : undefined;
  const defaults = defaultEnvironment(name, identity, term);
  const told = notify ? [{ name: NOTIFY_ENV, value: NOTIFY_PATH }] : [];
  return {
    argv: app.exec,
    env: [
      ...new Map([...defaults, ...app.environment, ...told].map((entry) => [entry.name, entry.value])),
    ].map(([key, value]) => `${key}=${value}`),
    workingDirectory: app.workingDirectory ?? '/',
    uid: identity.uid,
    gid: identity.gid,
    groups: app.supplementaryGIDs,
    capabilities: keptCapabilities(isolators, pod.restrictCapabilities),
    noNewPrivileges: findIsolator(isolators, 'no-new-privileges')?.value ?? false,
    seccomp: null,
    rlimits: [],
    oomScoreAdj: findIsolator(isolators, 'oom-score-adj')?.value ?? null,
  };
}
