import { CliError } from './error.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs work that the user may interrupt. The first signal aborts the work's own signal, and the work ends by throwing
 * CliError `interrupted` whatever it threw itself; the second ends the process at once, as if nobody listened.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const abort = (name: NodeJS.Signals) => {
    stopListening();
    controller.abort(new CliError('interrupted', `interrupted by ${name}`));
  };
  const stopListening = () => {
    for (const name of SIGNALS) process.off(name, abort);
  };
  for (const name of SIGNALS) process.on(name, abort);
  try {
    return await work(controller.signal);
  } catch (error) {
    // What an abort looks like below depends on who was waiting for what; why it came does not.
    controller.signal.throwIfAborted();
    throw error;
  } finally {
    stopListening();
  }
}

/** Runs work that has no other end than that the user interrupts it: then that is its orderly one. */
export async function untilInterrupted(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  try {
    await interruptible(work);
  } catch (error) {
    if (!(error instanceof CliError && error.code === 'interrupted')) throw error;
  }
}
