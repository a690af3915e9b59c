import type { DeviceRule, MountPlanEntry } from '../../abi/boot-plan.ts';

/** What of its volumes is in the plan of an app. */
export interface AppVolumes {
  readonly mounts: readonly MountPlanEntry[];
  /** Those that are volumes themselves. */
  readonly devices: readonly DeviceRule[];
}
