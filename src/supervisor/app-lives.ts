import type { HealthPlan } from '../abi/health.ts';
import { fileTime, realtime } from '../native/clock.ts';
import type { Loop } from '../native/loop.ts';
import { AppStates } from './app-state.ts';
import { Health } from './health.ts';
import type { Session } from './session.ts';
import type { AppRestart } from './session-events.ts';

/** What is written of each app while it lives: its start, its restarts, its health. */
export class AppLives {
  readonly #states = new AppStates();
  readonly health: Health;

  constructor(loop: Loop) {
    this.health = new Health(loop, (app, health) => this.#states.update(app, { health }));
  }

  open(session: Session): void {
    this.health.open(session);
  }

  /** Before an app is started for the first time, or anew in a mutable pod. */
  expect(app: string, health: HealthPlan | undefined): void {
    this.health.expect(app, health);
    this.#states.forget(app);
  }

  /** `pid` is what the pod's processes know it by. */
  started(app: string, pid: number): void {
    // An app's end is the time of a file.
    const { seconds, nanoseconds } = fileTime();
    const started = `${seconds}${String(nanoseconds).padStart(9, '0')}`;
    this.#states.update(app, { started, pid, nextRestart: null });
    this.health.started(app);
  }

  restarting(app: string, { code, outOfMemory, delayMs, count }: AppRestart): void {
    const { seconds, nanoseconds } = realtime();
    const nextRestart = seconds * 1000 + Math.floor(nanoseconds / 1e6) + delayMs;
    this.health.ended(app);
    this.#states.update(app, { restarts: count, lastExit: code, outOfMemory, nextRestart, pid: null });
  }

  /** Or could not be started; then the code says why. */
  exited(app: string, code: number, outOfMemory: boolean): void {
    this.health.ended(app);
    this.#states.update(app, { lastExit: code, outOfMemory, nextRestart: null, pid: null });
  }

  close(): void {
    this.health.close();
  }
}
