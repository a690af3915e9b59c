import type { Entry } from './command-line.ts';

/** The commands of `rkt volume`, in the order of the help. */
export const VOLUME_COMMANDS: readonly Entry[] = [
  {
    name: 'create',
    summary: 'make volumes that outlive pods',
    load: async () => (await import('./volume-create.ts')).volumeCreateCommand,
  },
  {
    name: 'inspect',
    summary: 'print all that is known of volumes, as JSON',
    load: async () => (await import('./volume-inspect.ts')).volumeInspectCommand,
  },
  {
    name: 'list',
    summary: 'list volumes',
    load: async () => (await import('./volume-list.ts')).volumeListCommand,
  },
  {
    name: 'rm',
    summary: 'remove volumes, with all files in them',
    load: async () => (await import('./volume-rm.ts')).volumeRmCommand,
  },
];
