import { POD } from '../../abi/pod-directory.ts';
import { realtime } from '../../native/clock.ts';
import { unless } from '../../native/errors.ts';
import { unlink } from '../../native/paths.ts';
import { recordIfPossible } from '../record.ts';
import type { Session } from '../session.ts';
import type { Vessel } from './vessel.ts';

/** Told when it is so; with the reason when it is not. */
type Done = (refusal: string | undefined) => void;

type Halting = Pick<Vessel, 'pause' | 'resume'>;

/** Whether the pod stands still. What is done about it is done in the order in which it was asked for. */
export class Standstill {
  readonly #vessel: Halting;
  readonly #session: Pick<Session, 'send'>;
  readonly #changed: (paused: boolean) => void;
  #paused = false;
  /** Orders to stand still that have not been answered. */
  #pausing = 0;

  /** `changed` is for what must not count the time that the guest does not have. */
  constructor(vessel: Halting, session: Pick<Session, 'send'>, changed: (paused: boolean) => void) {
    this.#vessel = vessel;
    this.#session = session;
    this.#changed = changed;
  }

  get isPaused(): boolean {
    return this.#paused;
  }

  pause(done: Done): void {
    this.#pausing++;
    this.#vessel.pause((refusal) => {
      this.#pausing--;
      if (refusal === undefined) this.#became(true);
      done(refusal);
    });
  }

  resume(done: Done): void {
    this.#vessel.resume((refusal) => {
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
