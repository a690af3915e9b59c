/**
 * What rkt-mount does between stage0 and the stage1, as data: in a mount namespace of its own it detaches what the pod does not
 * need, mounts what this plan says and executes the stage1. Kept in the pod's directory, so that an exited pod's
 * root can be mounted again.
 */
import { HIGHEST_ID, type IdRange } from './id-range.ts';
import { FieldReader } from './json.ts';

export const MOUNT_PLAN_VERSION = 1;

export interface MountPlan {
  readonly version: typeof MOUNT_PLAN_VERSION;
  /** Absolute paths that must stay reachable; mounts that neither hold one nor lie below one are detached. */
  readonly keep: readonly string[];
  readonly mounts: readonly MountStep[];
}

/**
 * Targets are relative to the pod's directory and are created as directories when missing. `ids`: those of a pod with users of its
 * own, which what is mounted shows in place of the ids on disk, and keeps as such.
 */
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
      /** What is written is of no use after the pod's end: its unmounting waits for no disk, and `fsync` in it for none either. */
      readonly volatile?: true;
      readonly ids?: IdRange;
    }
  /**
   * With all that is mounted below it. A relative source is in the pod's directory. Sources are opened before the first
   * mount, so that no mount changes what a later source means.
   */
  | {
      readonly kind: 'bind';
      readonly source: string;
      readonly target: string;
      readonly readOnly: boolean;
      readonly ids?: IdRange;
    };

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
  const ids = step.has('ids') ? { ids: parseIds(step.object('ids')) } : {};
  switch (kind) {
    case 'overlay':
      return {
        kind,
        target,
        lowerBase: step.text('lowerBase'),
        lower: step.texts('lower', 500),
        upper: step.text('upper'),
        work: step.text('work'),
        ...(step.has('volatile') && step.boolean('volatile') ? { volatile: true } : {}),
        ...ids,
      };
    case 'bind':
      return { kind, target, source: step.text('source'), readOnly: step.boolean('readOnly'), ...ids };
    default:
      return kind satisfies never;
  }
}

function parseIds(ids: FieldReader): IdRange {
  return { first: ids.integer('first', 1, HIGHEST_ID), count: ids.integer('count', 1, HIGHEST_ID) };
}
