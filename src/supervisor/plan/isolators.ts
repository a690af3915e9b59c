/** Which isolators are enforced. An executor may ignore others, but must say so (appc 0.8.11, ace.md). */
import type { App, Isolator, PodManifest, ResourceName } from '../../appc/index.ts';
import { SupervisorError } from '../error.ts';
import { limitOf } from './limits.ts';

/** Undefined: it is enforced. Otherwise why not. */
type Verdict = string | undefined;

const ENFORCED: Verdict = undefined;
const UNKNOWN = 'it is not known here';
const OF_PODS = 'it is for a pod as a whole';
const OF_APPS = 'it is for apps';

interface Verdicts {
  readonly app: Verdict;
  readonly pod: Verdict;
}

const VERDICTS: Readonly<Record<Exclude<Isolator['kind'], 'resource'>, Verdicts>> = {
  capabilities: { app: ENFORCED, pod: OF_APPS },
  'no-new-privileges': { app: ENFORCED, pod: OF_APPS },
  seccomp: { app: ENFORCED, pod: OF_APPS },
  'seccomp-profile': { app: ENFORCED, pod: OF_APPS },
  'oom-score-adj': { app: ENFORCED, pod: OF_APPS },
  'cpu-shares': { app: ENFORCED, pod: OF_APPS },
  'pids-limit': { app: ENFORCED, pod: OF_APPS },
  rlimits: { app: ENFORCED, pod: OF_APPS },
  sysctl: { app: OF_PODS, pod: ENFORCED },
  selinux: { app: UNKNOWN, pod: UNKNOWN },
  unknown: { app: UNKNOWN, pod: UNKNOWN },
};

/** Enforced for each app, and for the pod; the others for the pod only. */
const WITHIN: readonly ResourceName[] = ['resource/memory', 'resource/cpu'];

/** One line for each isolator that has no effect. */
export function unenforced({
  isolators,
  apps,
}: Pick<PodManifest, 'isolators'> & { readonly apps: readonly NamedApp[] }): string[] {
  const together = new Set(isolators.map(({ name }) => name));
  const isShared = (name: ResourceName) =>
    together.has(name) || apps.every(({ app }) => limitOf(app.isolators, name) !== undefined);
  return [
    ...isolators.flatMap((isolator) => {
      const verdict = isolator.kind === 'resource' ? ENFORCED : VERDICTS[isolator.kind].pod;
      return verdict === undefined ? [] : [`pod: ${notEnforced(isolator, verdict)}`];
    }),
    ...apps.flatMap(({ name, app }) => withoutEffect(app, isShared).map((line) => `app ${name}: ${line}`)),
  ];
}

export interface NamedApp {
  readonly name: string;
  readonly app: Pick<App, 'isolators'>;
}

/** Likewise, of an app that comes to a pod whose limits are set. */
export function unenforcedLater({ name, app }: NamedApp): string[] {
  return withoutEffect(app, () => false).map((line) => `app ${name}: ${line}`);
}

/** @throws SupervisorError `unsupported` where there is something to say */
export function refuseUnenforced(lines: readonly string[]): void {
  if (lines.length > 0) throw new SupervisorError('unsupported', lines.join('; '));
}

function withoutEffect({ isolators }: NamedApp['app'], isShared: (name: ResourceName) => boolean): string[] {
  return isolators.flatMap((isolator) => {
    const verdict = verdictOf(isolator, isShared);
    return verdict === undefined ? [] : [notEnforced(isolator, verdict)];
  });
}

function verdictOf(isolator: Isolator, isShared: (name: ResourceName) => boolean): Verdict {
  if (isolator.kind !== 'resource') return VERDICTS[isolator.kind].app;
  if (WITHIN.includes(isolator.name) || isShared(isolator.name)) return ENFORCED;
  return 'the pod is bounded as a whole, where each of its apps has a limit when it starts';
}

function notEnforced({ name }: Isolator, why: string): string {
  return `isolator ${name} is not enforced: ${why}`;
}
