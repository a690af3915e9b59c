/** Which isolators this stage1 enforces. An executor may ignore others, but must say so (appc 0.8.11, ace.md). */
import type { Isolator, PodManifest } from '../src/appc/index.ts';

type Enforcement = 'enforced' | 'not enforced';

const ENFORCEMENT: Readonly<Record<Isolator['kind'], (isolator: Isolator) => Enforcement>> = {
  // As the size of the machine.
  resource: ({ name }) =>
    name === 'resource/cpu' || name === 'resource/memory' ? 'enforced' : 'not enforced',
  capabilities: () => 'enforced',
  'no-new-privileges': () => 'enforced',
  'oom-score-adj': () => 'enforced',
  seccomp: () => 'not enforced',
  'cpu-shares': () => 'not enforced',
  selinux: () => 'not enforced',
  sysctl: () => 'not enforced',
  unknown: () => 'not enforced',
};

/** One line for each isolator that has no effect. */
export function unenforced(pod: PodManifest): string[] {
  const lines = (whose: string, isolators: readonly Isolator[]) =>
    isolators
      .filter((isolator) => ENFORCEMENT[isolator.kind](isolator) === 'not enforced')
      .map(({ name }) => `${whose}: isolator ${name} is not enforced`);
  return [
    ...pod.isolators.map(({ name }) => `pod: isolator ${name} is not enforced`),
    ...pod.apps.flatMap(({ name, app }) => lines(`app ${name}`, app?.isolators ?? [])),
  ];
}
