/** What a machine is told that is saved before it is a pod's, and restored as the start of one (docs/templates.md). Part of `HostMessage`. */
import type { DeviceRule, RootDiskPlan } from './boot-plan.ts';

/** Before it has a plan: loads and prepares what most pods need. Answered by `rehearsed`, after which it stands still. */
export interface RehearseOrder {
  readonly type: 'rehearse';
  readonly modules: readonly string[];
  /** What apps without devices of their own may use. */
  readonly devices: readonly DeviceRule[];
  /** Of its disks, that which is saved with it. */
  readonly disks: readonly RootDiskPlan[];
}

/** From a machine that is to be saved alone: of a pod's it is rubbish. */
export interface Rehearsed {
  readonly type: 'rehearsed';
}

/** After the `ended` of a pod that was only to go through its start once: nothing of that is left, and the plan of another may come. Answered by `renewed`. */
export interface RenewOrder {
  readonly type: 'renew';
}

/** As `rehearsed`. */
export interface Renewed {
  readonly type: 'renewed';
}

/**
 * To one that is the start of a pod now: entropy of the host's in base64, before anything else, and the wall clock. It says `hello`
 * again, and where it has devices that it was not saved with its kernel looks for them.
 */
export interface WakeOrder {
  readonly type: 'wake';
  readonly entropy: string;
  readonly clock: { readonly seconds: number; readonly nanoseconds: number };
  readonly hasMore: boolean;
}
