import type { PodCgroup } from '../src/supervisor/cgroup.ts';
import type { Session } from '../src/supervisor/session.ts';
import type { Apps } from './apps.ts';
import type { Machine } from './machine.ts';
import type { MutableApps } from './mutable.ts';
import type { Standstill } from './standstill.ts';

/** What a command's request is served with. */
export interface RunningPod {
  readonly session: Session;
  readonly apps: Apps;
  readonly machine: Machine;
  readonly mutable: MutableApps;
  /** The pod's, on the host. */
  readonly cgroup: PodCgroup;
  readonly standstill: Standstill;
  /** Why it cannot be paused at this moment; undefined where it can. */
  pauseRefusal(): string | undefined;
  stop(force: boolean): void;
}
