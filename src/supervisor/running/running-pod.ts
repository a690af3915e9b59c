import type { Apps } from '../apps/apps.ts';
import type { MutableApps } from '../apps/mutable.ts';
import type { PodCgroup } from '../cgroup.ts';
import type { Session } from '../session.ts';
import type { Standstill } from './standstill.ts';
import type { Vessel } from './vessel.ts';

/** What a command's request is served with. */
export interface RunningPod {
  readonly session: Session;
  readonly apps: Apps;
  readonly vessel: Vessel;
  readonly mutable: MutableApps;
  /** The pod's, on the host. */
  readonly cgroup: PodCgroup;
  readonly standstill: Standstill;
  /** Why it cannot be paused at this moment; undefined where it can. */
  pauseRefusal(): string | undefined;
  stop(force: boolean): void;
}
