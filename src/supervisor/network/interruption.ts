/** Signals that end a pod whose networks are being set up: nothing has begun that could be ended in order. */
import { close } from '../../native/files.ts';
import { maskSignals, openSignals, readSignal, type SignalName } from '../../native/signals.ts';

const ENDING: readonly SignalName[] = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'];

/** The plugin that ran has been killed. */
export class Interruption extends Error {
  override readonly name = 'Interruption';

  constructor(readonly signal: number) {
    super(`interrupted by signal ${signal}`);
  }
}

/** They are blocked from here on, and stay so: whoever leads the pod then takes them. */
export class EndingSignals {
  readonly fd: number;

  constructor() {
    maskSignals('block', ENDING);
    this.fd = openSignals(ENDING);
  }

  /** @throws Interruption */
  refuse(): void {
    const info = readSignal(this.fd);
    if (info !== undefined) throw new Interruption(info.signal);
  }

  [Symbol.dispose](): void {
    close(this.fd);
  }
}
