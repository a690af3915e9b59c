/** Event handlers of an app, in the child that becomes its main process: pre-start is run there, and what post-stop needs is kept. */
import type { ProcessPlan } from '../src/abi/boot-plan.ts';
import { open, open_ } from '../src/native/files.ts';
import { type Exit, fork, waitFor } from '../src/native/processes.ts';
import { during, InitError, messageOf } from './error.ts';
import { sayRooted } from './gate.ts';

/** What is in it an app has no say in: it is mounted last at that place. */
const OWN_NAMESPACE = '/proc/self/ns/mnt';

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
