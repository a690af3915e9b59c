/**
 * What rkt-mount does between stage0 and the stage1, as data: in a mount namespace of its own it detaches what the pod does not
 * need, mounts what this plan says and executes the stage1. Kept in the pod's directory, so that an exited pod's
 * root can be mounted again.
 */
import { FieldReader } from './json.ts';

export const MOUNT_PLAN_VERSION = 1;

export interface MountPlan {
  readonly version: typeof MOUNT_PLAN_VERSION;
  /** Absolute paths that must stay reachable; mounts that neither hold one nor lie below one are detached. */
  readonly keep: readonly string[];
  readonly mounts: readonly MountStep[];
}

/** Targets are relative to the pod's directory and are created as directories when missing. */
export type MountStep =
  | {
      readonly kind: 'overlay';
      readonly target: string;
      /** Directory in which the names of `lower` are, absolute; rkt-mount changes to it, for short options. */
      readonly lowerBase: string;
      /** Top layer first (the order of overlayfs). */
      readonly lower: readonly string[];
      /** Relative to the pod's directory. */
      readonly upper: string;
      readonly work: string;
    }
  /**
   * With all that is mounted below it. A relative source is in the pod's directory. Sources are opened before the first
   * mount, so that no mount changes what a later source means.
   */
  | { readonly kind: 'bind'; readonly source: string; readonly target: string; readonly readOnly: boolean };

/** @throws AbiError naming the field */
export function parseMountPlan(value: unknown): MountPlan {
  const plan = new FieldReader(value, 'mount plan');
  plan.integer('version', MOUNT_PLAN_VERSION, MOUNT_PLAN_VERSION);
  return {
    version: MOUNT_PLAN_VERSION,
    keep: plan.texts('keep', 4096),
    mounts: plan.list('mounts', 4096, (step, where) => parseStep(new FieldReader(step, where))),
  };
}

function parseStep(step: FieldReader): MountStep {
  const kind = step.word('kind', ['overlay', 'bind'] as const);
  const target = step.text('target');
  switch (kind) {
    case 'overlay':
      return {
        kind,
        target,
        lowerBase: step.text('lowerBase'),
        lower: step.texts('lower', 500),
        upper: step.text('upper'),
        work: step.text('work'),
      };
    case 'bind':
      return { kind, target, source: step.text('source'), readOnly: step.boolean('readOnly') };
    default:
      return kind satisfies never;
  }
}
