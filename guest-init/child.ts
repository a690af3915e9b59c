/** What a child of PID 1 does between fork and exec, in this order. */
import { NO_HANDLERS, type ProcessPlan } from '../src/abi/boot-plan.ts';
import type { CopyPlan } from '../src/abi/copy-plan.ts';
import { writeControl } from '../src/native/contents.ts';
import { exit } from '../src/native/engine.ts';
import { open, open_ } from '../src/native/files.ts';
import { setNamespace, unshare } from '../src/native/mounts.ts';
import { setSession } from '../src/native/processes.ts';
import { maskSignals, setDisposition } from '../src/native/signals.ts';
import type { GroupEntry } from './app-groups.ts';
import { setAppLimits } from './app-limits.ts';
import { confine, filterSystemCalls, setOomScore } from './confinement.ts';
import { copyFiles } from './copy.ts';
import { during } from './error.ts';
import { awaitGo, sayFailed, sayReady } from './gate.ts';
import { keepRoot, runPreStart } from './pre-start.ts';
import { execute, findProgram } from './program.ts';
import { type AppDwelling, enterRoot, joinNamespace, joinRoot } from './root.ts';
import { type ChildStreams, takeStreams } from './streams.ts';
import { type Trial, trialOf } from './trial.ts';

/** Where a process lives: an app in a root of its own, an exec session in that of the app's main process. */
export type Dwelling =
  | ({ readonly kind: 'app' } & AppDwelling)
  | {
      readonly kind: 'session';
      readonly app: string;
      readonly of: number;
      /** What it copies, instead of running a program. */
      readonly copy: CopyPlan | undefined;
    }
  /** What follows the end of an app's main process, in the mount namespace that was that one's. */
  | { readonly kind: 'handler'; readonly app: string; readonly namespace: number };

export function appOf(dwelling: Dwelling): string {
  return dwelling.kind === 'app' ? dwelling.app.name : dwelling.app;
}

export interface ChildOrder {
  readonly dwelling: Dwelling;
  /** The app's control group, which it starts in; undefined where there are none. */
  readonly group: GroupEntry | undefined;
  readonly process: ProcessPlan;
  readonly streams: ChildStreams;
  /** No process rather than one without a limit of its plan. */
  readonly strict: boolean;
  /** Waits for the word before it runs its program: others may still fail. */
  readonly waits: boolean;
}

/** The gate reports what fails; the exit code is then of no interest to anybody. */
export function becomeProgram(order: ChildOrder, gate: number): never {
  try {
    runProgram(order, gate);
  } catch (error) {
    sayFailed(gate, error);
  } finally {
    // Whatever happens: this process must never go on as a second PID 1.
    exit(1);
  }
}

function runProgram({ dwelling, group, process, streams, strict, waits }: ChildOrder, gate: number): void {
  const trial = trialOf(gate, strict);
  setSession();
  setOomScore(process, trial);
  if (dwelling.kind === 'app') setAppLimits(dwelling.app.limits, group, trial);
  if (group !== undefined) enterGroup(group, dwelling);
  settle(dwelling, gate);
  const { preStart } = dwelling.kind === 'app' ? dwelling.app.handlers : NO_HANDLERS;
  const terminal = during('streams', () => takeStreams(streams, process.uid, dwelling.kind === 'app'));
  if (waits || terminal !== undefined) sayReady(gate, terminal);
  if (waits && !awaitGo(gate)) return;
  // PID 1 reads its signals from a fd and ignores SIGPIPE; a program would inherit both.
  setDisposition('SIGPIPE', 'default');
  maskSignals('set', []);
  if (preStart !== null) runPreStart(preStart, (handler) => confineAndExecute(handler, trial));
  if (dwelling.kind === 'session' && dwelling.copy !== undefined) copyFiles(dwelling.copy);
  confineAndExecute(process, trial);
}

function confineAndExecute(process: ProcessPlan, trial: Trial): never {
  confine(process, trial);
  const path = findProgram(process);
  filterSystemCalls(process);
  return execute(path, process);
}

/** Of control groups an app sees its own as the root of all. Needs PID 1's own /proc. */
function enterGroup({ files }: GroupEntry, dwelling: Dwelling): void {
  during('root', () => {
    for (const file of files) writeControl(file, '0');
    if (dwelling.kind !== 'session') unshare('cgroup');
    else setNamespace(open(`/proc/${dwelling.of}/ns/cgroup`, open_.readOnly), 'cgroup');
  });
}

function settle(dwelling: Dwelling, gate: number): void {
  switch (dwelling.kind) {
    case 'app':
      during('root', () => unshare('mount'));
      if (isKept(dwelling)) keepRoot(gate);
      enterRoot(dwelling);
      return;
    case 'session':
      joinRoot(dwelling.of);
      return;
    case 'handler':
      joinNamespace(dwelling.namespace);
      return;
    default:
      dwelling satisfies never;
  }
}

/** By PID 1, when its processes have ended: for what follows then, and because a machine's kernel needs it. */
function isKept({ app, shares }: AppDwelling): boolean {
  return app.handlers.postStop !== null || shares.length > 0;
}
