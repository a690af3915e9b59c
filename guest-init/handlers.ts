/** An app's event handlers: what is run in its root before and after its main process. */
import type { ProcessPlan } from '../src/abi/boot-plan.ts';
import { open, open_ } from '../src/native/files.ts';
import { type Exit, fork, waitFor } from '../src/native/processes.ts';
import type { AppLife } from './app-life.ts';
import { during, InitError, messageOf } from './error.ts';
import { sayRooted } from './gate.ts';
import type { ChildStreams } from './streams.ts';
import type { TaskOrder } from './task.ts';

/** What is in it an app has no say in: it is mounted last at that place. */
const OWN_NAMESPACE = '/proc/self/ns/mnt';
/** A terminal ends with the process that it was opened for. */
const NO_STREAMS = { kind: 'pipes', stdin: null, stdout: 0, stderr: 0 } as const;

/**
 * In the child that will be the app's main process: in its session, with its streams, while it has all privileges still, of which
 * `run` takes what the handler shall not have.
 */
export function runPreStart(handler: ProcessPlan, run: (process: ProcessPlan) => never): void {
  const pid = fork();
  // This is said at the gate of the one that waits, before that one says how it ended: the first reason counts.
  if (pid === 0) attempting(() => run(handler));
  const outcome = handlerFailure(waitFor(pid).exit);
  if (outcome !== undefined) throw new InitError('pre-start', `event handler pre-start ${outcome}`);
}

/** In the same child: the root is needed when that one is no more. */
export function keepRoot(gate: number): void {
  during('root', () => sayRooted(gate, open(OWN_NAMESPACE, open_.readOnly)));
}

/** In PID 1. `streams` are the caller's to close. */
export function postStopOrder({ app }: AppLife, process: ProcessPlan, namespace: number): TaskOrder {
  // No app, and no exec session, has such a name.
  const id = `post-stop:${app.name}`;
  const dwelling = { kind: 'handler', app: app.name, namespace } as const;
  return { id, dwelling, process, streams: NO_STREAMS, waits: false };
}

/** What of an app's streams its handler has. */
export function handlerStreams(app: ChildStreams): ChildStreams {
  if (app.kind === 'pipes') return app;
  const nowhere = () => open('/dev/null', open_.readWrite);
  return { kind: 'pipes', fds: [nowhere(), nowhere(), nowhere()] };
}

/** Undefined when it has done its work. */
export function handlerFailure(exit: Exit): string | undefined {
  if (exit.kind === 'signalled') return `was ended by signal ${exit.signal}`;
  return exit.code === 0 ? undefined : `ended with ${exit.code}`;
}

function attempting(action: () => never): never {
  try {
    return action();
  } catch (cause) {
    throw new InitError('pre-start', `event handler pre-start: ${messageOf(cause)}`, { cause });
  }
}
