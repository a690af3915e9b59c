import type { NetworkPlan } from './network-plan.ts';

/**
 * What PID 1 of a pod does, flat and final: it knows no appc and decides nothing. Made by the stage1's `plan.ts`,
 * carried by the `boot` message of `guest.ts`.
 */
export interface BootPlan {
  readonly hostname: string;
  /** What only a machine of its own needs; null where PID 1 starts in namespaces that are ready. */
  readonly machine: MachinePlan | null;
  readonly network: NetworkPlan;
  readonly apps: readonly AppPlan[];
  /** Seconds between SIGTERM and SIGKILL when the pod ends before all its apps have. */
  readonly stopGraceSeconds: number;
  /** Lines for the hosts files of apps, of the pods that share a network with this one; the host tells when they change. */
  readonly names: string;
  /** A mutable pod: it goes on without apps and when one fails, and ends when it is told to. */
  readonly staysWhenEmpty: boolean;
}

export interface MachinePlan {
  /** Names of modules in the initramfs's /modules, loaded in this order. */
  readonly modules: readonly string[];
  /** Wall clock at the time of sending. */
  readonly clock: { readonly seconds: number; readonly nanoseconds: number };
  /** Base64 of at least 32 bytes of the host's entropy, credited to the kernel before anything else uses randomness. */
  readonly entropy: string;
  readonly shares: readonly SharePlan[];
}

/** A virtio-fs share and where PID 1 mounts it in its own root. */
export interface SharePlan {
  readonly tag: string;
  readonly target: string;
}

/** Where an app's root is. More kinds (block devices) join here. */
export type RootPlan =
  /** A directory of a mounted share. */
  | { readonly kind: 'virtiofs'; readonly tag: string; readonly path: string }
  /** A directory that is there already. */
  | { readonly kind: 'directory'; readonly path: string };

export interface AppPlan {
  /** Unique in the pod (appc ACName). */
  readonly name: string;
  readonly root: RootPlan;
  readonly readOnlyRoot: boolean;
  /** Mounts inside the app's root, after it has become `/`, in order. Targets are created when missing. */
  readonly mounts: readonly MountPlanEntry[];
  /** Files written into the root when it has none at that path. */
  readonly files: readonly FilePlan[];
  readonly covers: readonly CoverPlan[];
  readonly process: ProcessPlan;
  readonly streams: StreamsPlan;
  readonly restart: RestartPlan;
  /** It says itself when it is ready (`notify.ts`): PID 1 listens for it, at NOTIFY_PATH of the app's root. */
  readonly notify: boolean;
}

/**
 * What follows the end of an app's main process. Between an end and the next start PID 1 waits: `FIRST_RESTART_MS`, twice as
 * long each time, at most `LONGEST_RESTART_MS`; from the beginning when the app has run for `STEADY_MS`. The app's pipes
 * outlive its processes; a terminal does not, so an app with one has the policy `no`.
 */
export interface RestartPlan {
  readonly policy: 'no' | 'on-failure' | 'always';
  /** How many restarts in all; null: no bound. */
  readonly most: number | null;
}

export const NO_RESTART: RestartPlan = { policy: 'no', most: null };
export const FIRST_RESTART_MS = 100;
export const LONGEST_RESTART_MS = 30_000;
export const STEADY_MS = 10_000;

export type MountPlanEntry =
  | {
      readonly kind: 'filesystem';
      readonly type: 'proc' | 'sysfs' | 'tmpfs' | 'mqueue' | 'devpts' | 'cgroup2';
      readonly target: string;
      readonly flags: readonly MountFlag[];
      /** Comma-separated options of the file system. */
      readonly data: string;
    }
  /** A private /dev: tmpfs with the standard nodes and links, devpts, shm, mqueue. */
  | { readonly kind: 'dev'; readonly target: string }
  | { readonly kind: 'read-only'; readonly target: string }
  | { readonly kind: 'hidden'; readonly target: string };

export type MountFlag = 'read-only' | 'nosuid' | 'nodev' | 'noexec' | 'relatime';

export interface FilePlan {
  readonly path: string;
  readonly mode: number;
  readonly content: string;
}

/**
 * A file that lies over whatever the root has at that path. It is in PID 1's memory: an app may write to it, and its root stays
 * as it is.
 */
export interface CoverPlan {
  readonly path: string;
  readonly mode: number;
  /** Null: what the root has there. */
  readonly content: string | null;
  readonly readOnly: boolean;
  /** The names of other pods follow, and are kept as they are told. */
  readonly names: boolean;
}

export interface ProcessPlan {
  /** argv[0] with a slash is a path (relative ones from the working directory); without, it is looked up in PATH of `env`, inside the root. */
  readonly argv: readonly string[];
  /** `NAME=VALUE`, complete. */
  readonly env: readonly string[];
  readonly workingDirectory: string;
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  /** Numbers of the capabilities kept, for the bounding set and, for uid 0, permitted and effective. */
  readonly capabilities: readonly number[];
  readonly noNewPrivileges: boolean;
  /** Base64 of a `sock_filter[]` (8 bytes an instruction), or null. */
  readonly seccomp: string | null;
  readonly rlimits: readonly RlimitPlan[];
  readonly oomScoreAdj: number | null;
}

export interface RlimitPlan {
  /** RLIMIT_* number of the guest's architecture. */
  readonly resource: number;
  readonly soft: number;
  readonly hard: number;
}

/** Stream ids are unique in the pod and chosen by the host. */
export type StreamsPlan =
  | {
      readonly kind: 'pipes';
      readonly stdin: number | null;
      readonly stdout: number;
      readonly stderr: number;
    }
  | { readonly kind: 'terminal'; readonly stream: number; readonly rows: number; readonly columns: number };
