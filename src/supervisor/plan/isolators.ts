/** Which isolators this stage1 enforces, and what else it leaves undone. An executor may ignore others, but must say so (appc 0.8.11, ace.md). */
import { MUTABLE_ANNOTATION } from '../../abi/stage1.ts';
import { type App, annotationValue, type Isolator, type PodManifest } from '../../appc/index.ts';

type Enforcement = 'enforced' | 'not enforced';

const ENFORCEMENT: Readonly<Record<Isolator['kind'], (isolator: Isolator) => Enforcement>> = {
  // As the size of the machine.
  resource: ({ name }) =>
    name === 'resource/cpu' || name === 'resource/memory' ? 'enforced' : 'not enforced',
  capabilities: () => 'enforced',
  'no-new-privileges': () => 'enforced',
  'oom-score-adj': () => 'enforced',
  seccomp: () => 'enforced',
  'seccomp-profile': () => 'enforced',
  'cpu-shares': () => 'not enforced',
  selinux: () => 'not enforced',
  sysctl: () => 'not enforced',
  unknown: () => 'not enforced',
};

/** One line for each isolator and event handler that has no effect. */
export function unenforced(pod: PodManifest): string[] {
  return [
    ...pod.isolators
      .filter((isolator) => !isMutable(pod) || ENFORCEMENT[isolator.kind](isolator) === 'not enforced')
      .map(({ name }) => `pod: isolator ${name} is not enforced`),
    ...pod.apps.flatMap(({ name, app }) =>
      app === undefined ? [] : withoutEffect(app).map((line) => `app ${name}: ${line}`),
    ),
  ];
}

/** Likewise, of an app that comes to a pod whose machine has its size. */
export function unenforcedLater(name: string, { isolators, eventHandlers }: App): string[] {
  const sizes = isolators.filter(({ kind }) => kind === 'resource');
  const others = withoutEffect({
    isolators: isolators.filter(({ kind }) => kind !== 'resource'),
    eventHandlers,
  });
  return [...sizes.map((isolator) => notEnforced(isolator)), ...others].map((line) => `app ${name}: ${line}`);
}

/** The isolators of such a pod say how large its machine is. */
function isMutable({ annotations }: PodManifest): boolean {
  return annotationValue(annotations, MUTABLE_ANNOTATION) === 'true';
}

function withoutEffect({ isolators, eventHandlers }: Pick<App, 'isolators' | 'eventHandlers'>): string[] {
  const ignored = isolators.filter((isolator) => ENFORCEMENT[isolator.kind](isolator) === 'not enforced');
  return [
    ...ignored.map((isolator) => notEnforced(isolator)),
    ...eventHandlers.map(({ name }) => `event handler ${name} is not run`),
  ];
}

function notEnforced({ name }: Isolator): string {
  return `isolator ${name} is not enforced`;
}
