import type { BootPlan } from '../abi/boot-plan.ts';
import type { StartStep } from '../abi/guest.ts';
import type { Notice } from '../abi/notify.ts';
import type { SupervisorError } from './error.ts';
import type { DataChannels } from './streams.ts';

/** To PID 1. */
export interface SessionChannels extends DataChannels {
  readonly control: number;
}

/** What becomes of a process that the host started: an app, or an exec session. */
export interface ProcessEvents {
  started(pid: number): void;
  failed(step: StartStep, message: string): void;
  /** `outOfMemory`: processes of it were killed because memory was wanting. */
  exited(code: number, outOfMemory: boolean): void;
}

export interface AppEvents extends ProcessEvents {
  /** It has ended with `code`, and will be `started` again. */
  restarting(restart: AppRestart): void;
}

export interface AppRestart {
  readonly code: number;
  readonly outOfMemory: boolean;
  readonly delayMs: number;
  /** Of all restarts of the app, this one too. */
  readonly count: number;
}

/** Milliseconds from the start of the guest's kernel, as the guest tells them. */
interface GuestUptimes {
  readonly initMs: number;
  readonly helloMs: number;
}

export interface SessionEvents {
  /** PID 1 has answered; the pod's plan is asked for, and sent. Undefined: that guest has been given up, and another one will answer. */
  hello(kernel: string, uptimes: GuestUptimes): BootPlan | undefined;
  app(name: string): AppEvents;
  /** All apps of the plan have been started, and those that say it themselves are ready; in a mutable pod, or have failed to. */
  ready(): void;
  /** An app has said so of itself. */
  notified(app: string, notice: Notice): void;
  warning(message: string): void;
  /** All apps have ended and all their output has been passed on; the code is the pod's. */
  ended(code: number): void;
  /** What has been written is where it belongs: the machine may be ended. */
  settled(): void;
  /** It is over without an orderly end. */
  failed(problem: SupervisorError): void;
}
