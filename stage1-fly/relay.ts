/** Signals that the supervisor gets are the app's. */
import { unless } from '../src/native/errors.ts';
import { close, open, open_ } from '../src/native/files.ts';
import type { Loop } from '../src/native/loop.ts';
import { kill } from '../src/native/processes.ts';
import { highestSignal, type Signal, type SignalInfo, signals } from '../src/native/signals.ts';

/** Those that cannot be caught; that tell of our own doings; and that stop us together with the app, by the keys of a terminal. */
const OURS: readonly number[] = [
  ...[signals.SIGKILL, signals.SIGSTOP, signals.SIGCHLD, signals.SIGPIPE],
  ...[signals.SIGTSTP, signals.SIGTTIN, signals.SIGTTOU],
];
const RELAYED: readonly Signal[] = Array.from({ length: highestSignal }, (_, index) => index + 1).filter(
  (number) => !OURS.includes(number),
);
/** Of a signal that no process has sent. */
const SI_KERNEL = 0x80;

/**
 * Whether there is a terminal that both have: then the app stays in the caller's process group, for the terminal's keys and the
 * shell's job control. Otherwise it gets a group of its own, so that a signal to the caller's group reaches it once.
 */
export function hasTerminal(): boolean {
  const fd = unless(['ENXIO', 'ENOENT', 'EACCES', 'EIO', 'ENODEV'], () =>
    open('/dev/tty', open_.readOnly | open_.noControllingTerminal),
  );
  if (fd !== undefined) close(fd);
  return fd !== undefined;
}

/** From now on; `heard` is told of each signal before the app is. */
export class Relay {
  readonly #isShared: boolean;
  #pid: number | undefined;
  #early: number[] = [];

  constructor(loop: Loop, sharesGroup: boolean, heard: (signal: number) => void) {
    this.#isShared = sharesGroup;
    loop.onSignals(RELAYED, (info) => {
      if (this.#reachesApp(info)) return;
      heard(info.signal);
      this.#send(info.signal);
    });
  }

  /** What came before is sent now. */
  open(pid: number): void {
    this.#pid = pid;
    for (const signal of this.#early.splice(0)) this.#send(signal);
  }

  /** The app has been reaped: its number may be another's. */
  close(): void {
    this.#pid = undefined;
  }

  #send(signal: number): void {
    const pid = this.#pid;
    if (pid === undefined) this.#early.push(signal);
    else unless(['ESRCH'], () => kill(pid, signal));
  }

  /** What a terminal's keys send goes to the whole group. */
  #reachesApp({ code }: SignalInfo): boolean {
    return this.#isShared && code === SI_KERNEL;
  }
}
