import type { AppPlan } from '../abi/boot-plan.ts';
import type { AppEvents, ProcessEvents } from './session-events.ts';

/** A process that the host started, as a session knows it. */
export interface Process {
  readonly events: ProcessEvents;
  /** Undefined for an exec session. */
  readonly app: AppLife | undefined;
  state: 'starting' | 'running' | 'resting';
}

interface AppLife {
  readonly plan: AppPlan;
  readonly events: AppEvents;
  restarts: number;
  /** The pod is not ready before it has been started once, and has said that it is ready where it does. */
  awaited: boolean;
}
