/** The restart policy of an app, as `--restart` and the annotation of a pod manifest's app write it. */
import { type Annotation, annotationValue } from '../appc/annotations.ts';
import { NO_RESTART, type RestartPlan } from './boot-plan.ts';
import { AbiError } from './json.ts';

export const RESTART_ANNOTATION = 'coreos.com/rkt/app/restart';

/** `no`, `on-failure`, `on-failure:N` (N restarts in all, one at least), `always`. Throws AbiError `bad-plan`. */
export function parseRestart(text: string): RestartPlan {
  const [, policy, bound] = /^(no|on-failure|always)(?::([1-9]\d{0,8}))?$/.exec(text) ?? [];
  if (policy === 'on-failure') return { policy, most: bound === undefined ? null : Number(bound) };
  if ((policy === 'no' || policy === 'always') && bound === undefined) return { policy, most: null };
  throw new AbiError(
    'bad-plan',
    `${JSON.stringify(text)} is no restart policy: no, on-failure, on-failure:N (N from 1) or always`,
  );
}

export function formatRestart({ policy, most }: RestartPlan): string {
  return most === null ? policy : `${policy}:${most}`;
}

/** Of a pod manifest's app. Throws AbiError `bad-plan`. */
export function restartOf({ annotations }: { readonly annotations: readonly Annotation[] }): RestartPlan {
  const text = annotationValue(annotations, RESTART_ANNOTATION);
  return text === undefined ? NO_RESTART : parseRestart(text);
}
