import { POD } from '../src/abi/pod-directory.ts';
import { realtime } from '../src/native/clock.ts';
import { unless } from '../src/native/errors.ts';
import { unlink } from '../src/native/paths.ts';
import { recordIfPossible } from '../src/supervisor/record.ts';
import type { Session } from '../src/supervisor/session.ts';
import type { Machine } from './machine.ts';

/** Told when it is so; with what QEMU said when it is not. */
type Done = (refusal: string | undefined) => void;

type Halting = Pick<Machine, 'pause' | 'resume'>;

/** Whether the machine stands still. What is done about it is done in the order in which it was asked for. */
export class Standstill {
  readonly #machine: Halting;
  readonly #session: Pick<Session, 'send'>;
  readonly #changed: (paused: boolean) => void;
  #paused = false;
  /** Orders to stand still that have not been answered. */
  #pausing = 0;

  /** `changed` is for what must not count the time that the guest does not have. */
  constructor(machine: Halting, session: Pick<Session, 'send'>, changed: (paused: boolean) => void) {
    this.#machine = machine;
    this.#session = session;
    this.#changed = changed;
  }

  get isPaused(): boolean {
    return this.#paused;
  }

  pause(done: Done): void {
    this.#pausing++;
    this.#machine.pause((refusal) => {
      this.#pausing--;
      if (refusal === undefined) this.#became(true);
      done(refusal);
    });
  }

  resume(done: Done): void {
    this.#machine.resume((refusal) => {
      if (refusal === undefined) this.#became(false);
      done(refusal);
    });
  }

  whenRunning(action: () => void): void {
    if (this.#paused || this.#pausing > 0) this.resume(action);
    else action();
  }

  #became(paused: boolean): void {
    if (this.#paused === paused) return;
    this.#paused = paused;
    if (paused) recordIfPossible(POD.paused, '', 0o640);
    else unless(['ENOENT'], () => unlink(POD.paused));
    // The guest's clocks have stood still, too; the wall's has not.
    if (!paused) this.#session.send({ type: 'clock', ...realtime() });
    this.#changed(paused);
  }
}
