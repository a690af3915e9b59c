import type { Entry } from './command-line.ts';

/** rkt's own for these, whatever goes wrong; 254 elsewhere. */
const RKT_FAILURE = 1;

/** The commands of `rkt app`, in the order of the help. */
export const APP_COMMANDS: readonly Entry[] = [
  {
    name: 'add',
    summary: 'bring an app into a mutable pod that runs, without starting it',
    load: async () => (await import('./app-add.ts')).appAddCommand,
  },
  {
    name: 'exec',
    summary: 'run a program in a running app',
    startsProgram: true,
    load: async () => (await import('./app-exec.ts')).appExecCommand,
  },
  {
    name: 'list',
    summary: 'list the apps of a pod',
    failure: RKT_FAILURE,
    load: async () => (await import('./app-list.ts')).appListCommand,
  },
  {
    name: 'rm',
    summary: 'end an app of a mutable pod, and remove it',
    load: async () => (await import('./app-change.ts')).appRmCommand,
  },
  {
    name: 'sandbox',
    summary: 'run a mutable pod: one without apps, to which apps are added',
    failure: RKT_FAILURE,
    load: async () => (await import('./app-sandbox.ts')).appSandboxCommand,
  },
  {
    name: 'start',
    summary: 'start an app of a mutable pod',
    load: async () => (await import('./app-change.ts')).appStartCommand,
  },
  {
    name: 'status',
    summary: 'print the status of an app',
    failure: RKT_FAILURE,
    load: async () => (await import('./app-status.ts')).appStatusCommand,
  },
  {
    name: 'stop',
    summary: 'end an app of a mutable pod',
    load: async () => (await import('./app-change.ts')).appStopCommand,
  },
];
