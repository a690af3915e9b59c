/** Stopping all processes of a control group at once, so that none of them can tell, and letting them go on. */
import type { ControlGroup } from '../native/cgroups.ts';
import { monotonicMilliseconds } from '../native/clock.ts';
import { readText, writeControl } from '../native/contents.ts';
import { SystemError } from '../native/errors.ts';
import type { Loop } from '../native/loop.ts';
import { exists } from '../native/stat.ts';

/** Told when it is so; why not, when it is not. */
type Done = (refusal: string | undefined) => void;

/** One of the kernel's two ways: v2's, or v1's controller of that name. */
interface Brake {
  order(freeze: boolean): void;
  obeys(freeze: boolean): boolean;
}

/** A process in the middle of a long system call stops when that is over. */
const PATIENCE_MILLISECONDS = 5000;
const PAUSE_MILLISECONDS = 2;

export class Freezer {
  readonly #loop: Pick<Loop, 'after'>;
  readonly #brake: Brake | undefined;

  constructor(loop: Pick<Loop, 'after'>, group: ControlGroup | undefined) {
    this.#loop = loop;
    this.#brake = group?.directories.map(({ path }) => brakeOf(path)).find((brake) => brake !== undefined);
  }

  freeze(done: Done): void {
    this.#order(true, done);
  }

  thaw(done: Done): void {
    this.#order(false, done);
  }

  #order(freeze: boolean, done: Done): void {
    const brake = this.#brake;
    if (brake === undefined) {
      done('the pod has no control group that can be frozen');
      return;
    }
    try {
      brake.order(freeze);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      done(error.message);
      return;
    }
    this.#await(brake, freeze, monotonicMilliseconds() + PATIENCE_MILLISECONDS, done);
  }

  #await(brake: Brake, freeze: boolean, deadline: number, done: Done): void {
    if (brake.obeys(freeze)) done(undefined);
    else if (monotonicMilliseconds() < deadline)
      this.#loop.after(PAUSE_MILLISECONDS, () => this.#await(brake, freeze, deadline, done));
    else {
      // Half a pod that stands still is worse than none.
      if (freeze) brake.order(false);
      done(`its processes did not ${freeze ? 'stop' : 'go on'} in time`);
    }
  }
}

function brakeOf(path: string): Brake | undefined {
  if (exists(`${path}/cgroup.freeze`))
    return {
      order: (freeze) => writeControl(`${path}/cgroup.freeze`, freeze ? '1' : '0'),
      obeys: (freeze) => readText(`${path}/cgroup.events`).includes(`frozen ${freeze ? 1 : 0}`),
    };
  if (exists(`${path}/freezer.state`))
    return {
      order: (freeze) => writeControl(`${path}/freezer.state`, freeze ? 'FROZEN' : 'THAWED'),
      obeys: (freeze) => readText(`${path}/freezer.state`).trim() === (freeze ? 'FROZEN' : 'THAWED'),
    };
  return undefined;
}
