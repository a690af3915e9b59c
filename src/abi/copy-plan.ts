import type { FieldReader } from './json.ts';

/**
 * One end of `rkt cp`, done where the files are: by a session in a running app, whose PID 1 runs no program for it, or by `rkt-mount`
 * on the host. The archive between the two ends is `tar.ts`.
 */
export type CopyPlan =
  /** To standard output; `name` is what the path is called there, empty for the top itself. */
  | { readonly direction: 'out'; readonly path: string; readonly name: string }
  /**
   * From standard input: to the path, or into the directory that is there. `name` is what was archived, as its archive calls it;
   * null for the entries of any archive, which go into a directory.
   */
  | { readonly direction: 'in'; readonly path: string; readonly name: string | null };

/** @throws AbiError naming the field */
export function parseCopyPlan(plan: FieldReader): CopyPlan {
  const direction = plan.word('direction', ['out', 'in'] as const);
  const path = plan.text('path', PATH_MAX);
  switch (direction) {
    case 'out':
      return { direction, path, name: plan.text('name', PATH_MAX) };
    case 'in':
      return { direction, path, name: plan.has('name') ? plan.text('name', PATH_MAX) : null };
    default:
      return direction satisfies never;
  }
}

const PATH_MAX = 4096;
