import { existsSync, lstatSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { POD } from '../../../src/abi/pod-directory.ts';
import type { Phase } from '../../../src/pod/state.ts';
import type { RunningCommand } from '../command.ts';
import { eventually } from '../polling.ts';
import { type RktHome, savedUuid } from '../rkt.ts';
import { startPod } from '../running-pod.ts';
import { tool } from '../tool.ts';
import type { Moment } from './system-calls.ts';

/** What an operation has to work with. */
export interface Stage {
  readonly rkt: RktHome;
  readonly image: string;
}

/** What is done to a pod, one command of which is to be killed. */
export interface Operation {
  readonly name: string;
  /** Where its pod is before, as `list` would find it: what `rm` and `gc` are given. */
  readonly starts: Moment;
  /** Of what the command does, the parts that are its own; all of it without. */
  readonly moments?: readonly Moment[];
  /** Makes what the command needs, starts it, and waits for its end. Killed or not, what else was started is ended. */
  perform(stage: Stage, start: Start, pod: string | undefined): Promise<unknown>;
}

/** Starts the command that is start, or killed. */
export type Start = (argv: readonly string[]) => RunningCommand;

/** Where images are written to. */
export const EXPORTS = 'exports';

const RUN = ['run', '--net=none'];
const SHORT = ['--exec=/bin/true'];
/** Ends when it is told to. */
const LONG = ['--exec=/bin/sh', '--', '-c', "trap 'exit 0' TERM; while :; do sleep 0.1; done"];

/** Those that a pod comes from, or runs in. */
export const MAKERS: readonly Operation[] = [
  {
    name: 'prepare',
    starts: 'none',
    perform: ({ rkt, image }, start) => start(rkt.argv(['prepare', image])).finished,
  },
  {
    name: 'run',
    starts: 'none',
    perform: ({ rkt, image }, start) => start(rkt.argv([...RUN, image, ...SHORT])).finished,
  },
  {
    name: 'run-prepared',
    starts: 'prepared',
    perform: async ({ rkt, image }, start) => {
      const uuid = (await rkt.output(['prepare', image, ...SHORT])).trim();
      await start(rkt.argv(['run-prepared', '--net=none', uuid])).finished;
    },
  },
  {
    name: 'run, stopped by another',
    starts: 'none',
    moments: ['run'],
    perform: async ({ rkt, image }, start) => {
      const file = newUuidFile(rkt);
      const command = start(rkt.argv([...RUN, `--uuid-file-save=${file}`, image, ...LONG]));
      const uuid = await readyOrEnded(rkt, file, command);
      if (uuid !== undefined) await rkt.output(['stop', uuid]);
      await command.finished;
    },
  },
  {
    name: 'stop',
    starts: 'run',
    perform: async ({ rkt, image }, start) => {
      const { uuid, command } = await startPod(rkt, [image, ...LONG]);
      await start(rkt.argv(['stop', uuid])).finished;
      // Whoever was killed was not the pod, which goes on, or ends, as it was told.
      await rkt.output(['stop', '--force', uuid]);
      await command.finished;
    },
  },
  {
    name: 'export',
    starts: 'run',
    perform: async ({ rkt, image }, start) => {
      const uuid = (await rkt.output(['prepare', image, ...SHORT])).trim();
      await rkt.output(['run-prepared', '--net=none', uuid]);
      const file = join(rkt.path(EXPORTS), 'app.aci');
      await start(rkt.argv(['export', uuid, file])).finished;
      // Nobody takes half an image for a whole one.
      if (existsSync(file)) await tool('tar', ['-tf', file]);
      rmSync(file, { force: true });
    },
  },
  {
    name: 'app add',
    starts: 'run',
    perform: async ({ rkt, image }, start) => {
      const { uuid, command } = await startSandbox(rkt, (argv) => rkt.startArgv(argv));
      await start(rkt.argv(['app', 'add', uuid ?? '', image, ...SHORT])).finished;
      await rkt.output(['stop', '--force', uuid ?? '']);
      await command.finished;
    },
  },
  {
    name: 'sandbox, given an app by another',
    starts: 'none',
    moments: ['run'],
    perform: async ({ rkt, image }, start) => {
      const { uuid, command } = await startSandbox(rkt, start);
      if (uuid !== undefined) {
        // Of one that dies meanwhile it is told so.
        await rkt.run(['app', 'add', uuid, image, ...SHORT]);
        await rkt.output(['stop', uuid]);
      }
      await command.finished;
    },
  },
];

const rm = (rkt: RktHome, pod: string) => rkt.argv(['rm', pod]);
const gc = (rkt: RktHome) => rkt.argv(['gc', '--grace-period=0s', '--expire-prepared=0s']);

/** Those that remove a pod that is there. */
export const REMOVERS: readonly Operation[] = (['prepared', 'run'] as const).flatMap(
  (starts) =>
    [
      {
        name: `rm of a pod in ${starts}`,
        starts,
        perform: ({ rkt }, start, pod = '') => start(rm(rkt, pod)).finished,
      },
      {
        name: `gc of a pod in ${starts}`,
        starts,
        perform: ({ rkt }, start) => start(gc(rkt)).finished,
      },
    ] satisfies Operation[],
);

/** A mutable pod, without apps. */
async function startSandbox(rkt: RktHome, start: Start) {
  const file = newUuidFile(rkt);
  const command = start(rkt.argv(['app', 'sandbox', '--net=none', `--uuid-file-save=${file}`]));
  return { uuid: await readyOrEnded(rkt, file, command), command };
}

function newUuidFile(rkt: RktHome): string {
  const file = rkt.path('uuid');
  rmSync(file, { force: true });
  return file;
}

/** The UUID of the pod once it is ready; undefined when the command ended before. */
async function readyOrEnded(
  rkt: RktHome,
  file: string,
  command: RunningCommand,
): Promise<string | undefined> {
  await eventually('the pod is ready, or was killed', () => command.ended || isReady(rkt, savedUuid(file)));
  return command.ended ? undefined : savedUuid(file);
}

function isReady(rkt: RktHome, uuid: string | undefined): boolean {
  const link = join(rkt.dir, 'pods/run', uuid ?? '', POD.supervisorStatus);
  return uuid !== undefined && lstatSync(link, { throwIfNoEntry: false }) !== undefined;
}

/** The pods that are in a phase's directory. */
export function podsIn({ dir }: RktHome, phase: Phase): string[] {
  const path = join(dir, 'pods', phase);
  return existsSync(path) ? readdirSync(path) : [];
}
