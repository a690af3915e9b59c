import type { MadeVolume } from './made-volumes.ts';
import type { NetworkPlan } from './network-plan.ts';
import type { DiskSeal } from './root-disks.ts';

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
  /** Of the pod's kernel, or of its namespaces; written in order, after the network is there. */
  readonly sysctls: readonly KernelSetting[];
  /** Those that PID 1 makes itself, before any app. */
  readonly volumes: readonly MadeVolume[];
  /** A limit that cannot be set is the end of what it was for; otherwise it is a warning. */
  readonly strict: boolean;
}

export interface KernelSetting {
  /** Below /proc/sys: `net/core/somaxconn`. */
  readonly path: string;
  readonly value: string;
}

export interface MachinePlan {
  /** Names of modules in the initramfs's /modules, loaded in this order. */
  readonly modules: readonly string[];
  /** Wall clock at the time of sending. */
  readonly clock: { readonly seconds: number; readonly nanoseconds: number };
  /** Base64 of at least 32 bytes of the host's entropy, credited to the kernel before anything else uses randomness. */
  readonly entropy: string;
  readonly shares: readonly SharePlan[];
  /** Disks that apps' roots are made of. */
  readonly disks: readonly RootDiskPlan[];
}

/** A disk that says that it is `serial`. */
export type RootDiskPlan =
  /** An EROFS image, and what nothing else than is to be read of it: null to believe what it says. */
  | { readonly serial: string; readonly kind: 'image'; readonly seal: CheckedSeal | null }
  /** What apps write to, an ext4 file system. */
  | { readonly serial: string; readonly kind: 'scratch' };

/** What makes the hashes is by the name that the guest's kernel has for it. */
export type CheckedSeal = DiskSeal & { readonly algorithm: string };

/** A virtio-fs share and where PID 1 mounts it in its own root. */
export interface SharePlan {
  readonly tag: string;
  readonly target: string;
}

/** A directory, or a file, that is somewhere in PID 1's reach. */
export type PlacePlan =
  /** In a mounted share. */
  | { readonly kind: 'virtiofs'; readonly tag: string; readonly path: string }
  /** There already. */
  | { readonly kind: 'directory'; readonly path: string };

/** Where an app's root is. */
export type RootPlan =
  | PlacePlan
  /**
   * An overlay that PID 1 mounts, of images among the machine's disks, by their serial numbers, the top layer first; what the app changes is on the
   * scratch disk, below its name.
   */
  | {
      readonly kind: 'block';
      readonly app: string;
      readonly layers: readonly string[];
      readonly scratch: string;
    };

/** What of a volume PID 1 finds where. */
export type VolumeSourcePlan = PlacePlan;

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
  readonly handlers: HandlersPlan;
  readonly limits: LimitsPlan;
  readonly streams: StreamsPlan;
  readonly restart: RestartPlan;
  /** It says itself when it is ready (`notify.ts`): PID 1 listens for it, at NOTIFY_PATH of the app's root. */
  readonly notify: boolean;
}

/**
 * What is run in the app's root before each start of its main process, which it keeps from starting when it fails, and after each
 * end of one that ran: the app is over, or started again, when that has ended. Null: nothing.
 */
export interface HandlersPlan {
  readonly preStart: ProcessPlan | null;
  readonly postStop: ProcessPlan | null;
}

export const NO_HANDLERS: HandlersPlan = { preStart: null, postStop: null };

/** Of all processes of an app together, those of its exec sessions included. Null: no limit. */
export interface LimitsPlan {
  /** Where it needs more, all of them are killed. */
  readonly memoryBytes: number | null;
  /** Thousandths of a processor. */
  readonly cpuMillis: number | null;
  /** What it gets of processors that others want, too: 1024 is what one without the limit gets. */
  readonly cpuShares: number | null;
  /** Threads count. */
  readonly processes: number | null;
  /** The devices that may be used; null: all. */
  readonly devices: readonly DeviceRule[] | null;
}

/** `use` is some of the letters r, w and m (to make a node). Null numbers are any. */
export interface DeviceRule {
  readonly kind: 'char' | 'block';
  readonly major: number | null;
  readonly minor: number | null;
  readonly use: string;
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
  /**
   * The target is looked up in the app's root as it is by then, links inside it followed, and made where it is missing: a file
   * for a file. `seed`: a directory with nothing in it first gets what the target has, and its mode and owner.
   */
  | {
      readonly kind: 'volume';
      readonly source: VolumeSourcePlan;
      readonly target: string;
      readonly readOnly: boolean;
      /** A directory or file of the volume instead of all of it: without `..`. One that is missing is made, where that is allowed. */
      readonly subPath: string | null;
      readonly seed: boolean;
    }
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
  /** Of modes of files that it makes. */
  readonly umask: number;
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
  /** -1: unlimited. */
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
      /** Both outputs are pipes that the host has handed over, named by the first (`OUTPUTS_FD`); none of them is framed. */
      readonly handed?: true;
    }
  | { readonly kind: 'terminal'; readonly stream: number; readonly rows: number; readonly columns: number };
