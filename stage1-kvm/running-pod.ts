import type { Session } from '../src/supervisor/session.ts';
import type { Apps } from './apps.ts';
import type { Machine } from './machine.ts';

/** What a command's request is served with. */
export interface RunningPod {
  readonly session: Session;
  readonly apps: Apps;
  readonly machine: Machine;
  stop(force: boolean): void;
}
