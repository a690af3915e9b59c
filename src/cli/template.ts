import type { Entry } from './command-line.ts';

/** The commands of `rkt template`, in the order of the help. */
export const TEMPLATE_COMMANDS: readonly Entry[] = [
  {
    name: 'build',
    summary: 'save a machine for pods to start from',
    load: async () => (await import('./template-build.ts')).templateBuildCommand,
  },
  {
    name: 'list',
    summary: 'list saved machines',
    load: async () => (await import('./template-list.ts')).templateListCommand,
  },
  {
    name: 'rm',
    summary: 'remove saved machines',
    load: async () => (await import('./template-rm.ts')).templateRmCommand,
  },
];
