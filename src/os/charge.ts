/** Programs that end with us: a command that is told to end waits until they have, as it holds what keeps others from their work. */
import type { ChildProcess } from 'node:child_process';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** For what a program does when it is told to end. */
export const GRACE_MILLISECONDS = 5000;

const children = new Set<ChildProcess>();
/** What has told us to end. */
let cause: NodeJS.Signals | undefined;

/** Until it has ended, the program is told to end when we are told so or end, unless somebody else listens for signals, whose decision that is. */
export function takeCharge(child: ChildProcess): void {
  // Then it has not been started.
  if (child.pid === undefined) return;
  if (children.size === 0) listen();
  children.add(child);
  child.once('exit', () => {
    children.delete(child);
    if (children.size > 0) return;
    stopListening();
    if (cause !== undefined) process.kill(process.pid, cause);
  });
}

/** Whoever has a program's end from this does nothing more with it where we are to end as soon as the other programs have. */
export async function goingOn<T>(ended: T): Promise<T> {
  return cause === undefined ? ended : await new Promise<never>(() => {});
}

function listen(): void {
  for (const name of SIGNALS) process.on(name, end);
  process.on('exit', tell);
}

function stopListening(): void {
  for (const name of SIGNALS) process.off(name, end);
  process.off('exit', tell);
}

function end(name: NodeJS.Signals): void {
  if (process.listenerCount(name) > 1) return;
  // Who says it twice is in a hurry.
  if (cause !== undefined) {
    kill();
    return;
  }
  cause = name;
  tell();
  setTimeout(kill, GRACE_MILLISECONDS);
}

function tell(): void {
  for (const child of children) child.kill('SIGTERM');
}

function kill(): void {
  for (const child of children) child.kill('SIGKILL');
}
