/**
 * The protocol between a pod's supervisor (host) and its PID 1 (guest), on two channels: this one carries control
 * messages, each a u32 little-endian length and that many bytes of UTF-8 JSON; `frames.ts` is the other. In a VM they are the
 * virtio-serial ports named here, in namespaces two socketpairs.
 *
 * The guest speaks first (`hello`) and has been told nothing of its pod before: a machine saved then can become any pod.
 * What comes from a guest is hostile: parsed here, field by field, with caps.
 */
import {
  type AppPlan,
  type BootPlan,
  LONGEST_RESTART_MS,
  type ProcessPlan,
  type RootPlan,
  type StreamsPlan,
} from './boot-plan.ts';
import type { CopyPlan } from './copy-plan.ts';
import { AbiError, FieldReader } from './json.ts';
import type { MadeVolume } from './made-volumes.ts';
import { NOTIFY_STATES, type Notice, STATUS_MAX } from './notify.ts';
import type { RehearseOrder, RenewOrder, WakeOrder } from './saved-machine.ts';
import {
  type AppStatistics,
  type GuestStatistics,
  parseAppStatistics,
  parseGuestStatistics,
} from './statistics.ts';

export const PROTOCOL_VERSION = 3;
/** Names of the virtio-serial ports. */
export const CONTROL_PORT = 'rkt.control';
export const DATA_PORT = 'rkt.data';
/** File descriptors of the two channels where PID 1 is started in namespaces. */
export const CONTROL_FD = 3;
export const DATA_FD = 4;
/**
 * And of a third one there, of packets: each has the number of an app's stdout (u32 little-endian) and two fds, which that app's outputs are
 * written to. It is sent before the message whose plan says so.
 */
export const OUTPUTS_FD = 5;

/** Largest control message that the host accepts from a guest, and the guest from its host (a boot plan), in bytes. */
export const GUEST_MESSAGE_MAX_BYTES = 65536;
export const HOST_MESSAGE_MAX_BYTES = 16 * 1024 * 1024;

/** How a process ended, as wait(2) tells it. */
export type ExitStatus =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'signaled'; readonly signal: number };

/** What PID 1 was doing for an app when it failed; `exit-code.ts` gives each its exit code. */
export const START_STEPS = [
  'limits',
  'root',
  'mount',
  'files',
  'streams',
  'pre-start',
  'rlimits',
  'groups',
  'user',
  'capabilities',
  'seccomp',
  'working-directory',
  'exec',
] as const;
export type StartStep = (typeof START_STEPS)[number];

export type HostMessage =
  | { readonly type: 'boot'; readonly version: number; readonly plan: BootPlan }
  | { readonly type: 'credit'; readonly stream: number; readonly bytes: number }
  /** To the main process of an app (or of an exec session, by its id). */
  | { readonly type: 'signal'; readonly target: string; readonly signal: number }
  /** Whoever read this output is gone: the app's next write to it fails, as with any pipe. */
  | { readonly type: 'close'; readonly stream: number }
  | { readonly type: 'resize'; readonly stream: number; readonly rows: number; readonly columns: number }
  /** Starts a process inside a running app, with that app's confinement; answered by `started` or `failed`, then `exited`. */
  | {
      readonly type: 'exec';
      /** Chosen by the host, never what an app could be called: `exec:1`. */
      readonly id: string;
      readonly app: string;
      readonly process: ProcessPlan;
      readonly streams: StreamsPlan;
      /** Instead of the process's program: PID 1 has its own for this, with all rights in the app's root. */
      readonly copy?: CopyPlan;
      /** Instead, of an app that need not be in this pod: archives what it has changed of this root, as a layer of OCI. */
      readonly changes?: Extract<RootPlan, { kind: 'block' }>;
    }
  /** SIGKILL to all processes of an exec session, as far as they have stayed in its (kernel's) session. */
  | { readonly type: 'end-session'; readonly id: string }
  /**
   * Starts an app in a mutable pod: a new one, or one that has ended, with streams of its own. Of the volumes, which are its own, those are
   * made that are not there yet. Answered by `started` or `failed`.
   */
  | { readonly type: 'start'; readonly app: AppPlan; readonly volumes: readonly MadeVolume[] }
  /** Ends an app: SIGTERM to it, after the grace SIGKILL to all its processes; what is left when it has ended is killed. No restart. */
  | { readonly type: 'stop-app'; readonly app: string; readonly graceSeconds: number }
  /** An app that is over has left the pod, and the directory that its root was in is empty: nothing of it is to be remembered. Answered by `forgotten`. */
  | { readonly type: 'forget'; readonly app: string; readonly root: RootPlan }
  /** End all apps: SIGTERM, after the plan's grace SIGKILL. */
  | { readonly type: 'stop' }
  /** What does the pod use? Answered by `app-stats`, as many as it takes, and `stats`; the number comes back. */
  | { readonly type: 'stats'; readonly request: number }
  /** Instead of the plan's `names`. */
  | { readonly type: 'names'; readonly names: string }
  /** The wall clock, for a machine that has stood still. */
  | { readonly type: 'clock'; readonly seconds: number; readonly nanoseconds: number }
  | RehearseOrder
  | WakeOrder
  | RenewOrder
  /** The answer to `ended`: all output has arrived, the machine may go. */
  | { readonly type: 'power-off' };

/** All but what comes before there is a pod. */
export type PodMessage = Exclude<HostMessage, { readonly type: 'rehearse' | 'wake' | 'renew' }>;

export type GuestMessage =
  /** `initMs`, `helloMs`: from the start of its kernel to that of PID 1, and to this message; in namespaces PID 1 is the beginning. */
  | {
      readonly type: 'hello';
      readonly version: number;
      readonly kernel: string;
      readonly initMs: number;
      readonly helloMs: number;
    }
  /** `id` is an app's name or an exec session's id; pid as the pod's processes see it. */
  | { readonly type: 'started'; readonly id: string; readonly pid: number }
  | { readonly type: 'failed'; readonly id: string; readonly step: StartStep; readonly message: string }
  /** `outOfMemory`: processes of the app were killed because it, or all the machine, had no more. */
  | {
      readonly type: 'exited';
      readonly id: string;
      readonly status: ExitStatus;
      readonly outOfMemory: boolean;
    }
  | { readonly type: 'forgotten'; readonly id: string }
  /** An app's process has ended, or could not be started again, and another one will be `started` in `delayMs`; `count` says the how manieth restart that is. */
  | {
      readonly type: 'restarting';
      readonly id: string;
      readonly status: ExitStatus;
      readonly outOfMemory: boolean;
      readonly delayMs: number;
      readonly count: number;
    }
  /** An app says so of itself, whose plan lets it. */
  | ({ readonly type: 'notify'; readonly id: string } & Notice)
  | { readonly type: 'credit'; readonly stream: number; readonly bytes: number }
  | { readonly type: 'app-stats'; readonly request: number; readonly apps: readonly AppStatistics[] }
  | ({ readonly type: 'stats'; readonly request: number } & GuestStatistics)
  /** Something the operator should read; the pod goes on. */
  | { readonly type: 'warning'; readonly message: string }
  /** PID 1 cannot go on. */
  | { readonly type: 'fatal'; readonly message: string }
  /** All apps have ended and every stream has been sent to its end. */
  | { readonly type: 'ended' }
  /** On the way to power off, and may be killed: what was written is where it belongs. */
  | { readonly type: 'settled' };

const NAME_MAX = 512;
const MESSAGE_MAX = 16384;
const U32_MAX = 0xffffffff;

/** @throws AbiError `bad-message` naming the field */
export function parseGuestMessage(value: unknown): GuestMessage {
  const message = new FieldReader(value, 'guest message');
  const type = message.string('type', 32);
  switch (type) {
    case 'hello':
      return {
        type,
        version: message.integer('version', 0, U32_MAX),
        kernel: message.string('kernel', 256),
        initMs: message.integer('initMs', 0, U32_MAX),
        helloMs: message.integer('helloMs', 0, U32_MAX),
      };
    case 'started':
      return { type, id: message.string('id', NAME_MAX), pid: message.integer('pid', 1, 1 << 30) };
    case 'failed':
      return {
        type,
        id: message.string('id', NAME_MAX),
        step: message.word('step', START_STEPS),
        message: message.string('message', MESSAGE_MAX),
      };
    case 'forgotten':
      return { type, id: message.string('id', NAME_MAX) };
    case 'exited':
      return {
        type,
        id: message.string('id', NAME_MAX),
        status: parseExitStatus(message.object('status')),
        outOfMemory: message.has('outOfMemory') && message.boolean('outOfMemory'),
      };
    case 'restarting':
      return {
        type,
        id: message.string('id', NAME_MAX),
        status: parseExitStatus(message.object('status')),
        outOfMemory: message.has('outOfMemory') && message.boolean('outOfMemory'),
        delayMs: message.integer('delayMs', 0, LONGEST_RESTART_MS),
        count: message.integer('count', 1, U32_MAX),
      };
    case 'credit':
      return {
        type,
        stream: message.integer('stream', 0, U32_MAX),
        bytes: message.integer('bytes', 1, U32_MAX),
      };
    case 'notify':
      return {
        type,
        id: message.string('id', NAME_MAX),
        state: message.has('state') ? message.word('state', NOTIFY_STATES) : null,
        status: message.has('status') ? message.string('status', STATUS_MAX) : null,
      };
    case 'app-stats':
      return {
        type,
        request: message.integer('request', 0, U32_MAX),
        apps: parseAppStatistics(message),
      };
    case 'stats':
      return { type, request: message.integer('request', 0, U32_MAX), ...parseGuestStatistics(message) };
    case 'warning':
    case 'fatal':
      return { type, message: message.string('message', MESSAGE_MAX) };
    case 'ended':
    case 'settled':
      return { type };
    default:
      throw new AbiError('bad-message', `guest message: unknown type ${JSON.stringify(type)}`);
  }
}

function parseExitStatus(status: FieldReader): ExitStatus {
  const kind = status.word('kind', ['exited', 'signaled'] as const);
  switch (kind) {
    case 'exited':
      return { kind, code: status.integer('code', 0, 255) };
    case 'signaled':
      return { kind, signal: status.integer('signal', 1, 64) };
    default:
      return kind satisfies never;
  }
}

/**
 * For PID 1. The host is trusted by its guest, so the plan's inside is taken as typed; the version is checked first
 * because the two come from different builds when images are mixed up.
 */
export function parseHostMessage(value: unknown): HostMessage {
  const message = new FieldReader(value, 'host message');
  const type = message.string('type', 32);
  if (type === 'boot') {
    const version = message.integer('version', 0, U32_MAX);
    if (version !== PROTOCOL_VERSION)
      throw new AbiError('bad-message', `host speaks protocol ${version}, this init ${PROTOCOL_VERSION}`);
  }
  if (!HOST_MESSAGE_TYPES.has(type))
    throw new AbiError('bad-message', `host message: unknown type ${JSON.stringify(type)}`);
  return value as HostMessage;
}

const HOST_MESSAGE_TYPES: ReadonlySet<string> = new Set<HostMessage['type']>([
  'boot',
  'credit',
  'signal',
  'close',
  'resize',
  'exec',
  'end-session',
  'start',
  'stop-app',
  'forget',
  'stop',
  'stats',
  'names',
  'clock',
  'rehearse',
  'wake',
  'renew',
  'power-off',
]);
