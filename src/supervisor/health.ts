import { type HealthPlan, type HealthState, UNCHECKED } from '../abi/health.ts';
import { monotonicMilliseconds, realtime } from '../native/clock.ts';
import type { Loop, Timer } from '../native/loop.ts';
import { HealthCheck } from './health-check.ts';
import { type CheckResult, judge } from './health-verdict.ts';
import type { Session } from './session.ts';

/** Between two looks whether the check before has gone. */
const WAIT_MS = 100;

interface Patient {
  readonly plan: HealthPlan;
  state: HealthState;
  /** When its process was started; undefined while it does not run. */
  since: number | undefined;
  next: Timer | undefined;
  check: HealthCheck | undefined;
  /** The check before, of which the guest may still have something. */
  before: HealthCheck | undefined;
}

/**
 * The health checks of a pod's apps: one at a time for each, an interval after the start or the check before. They only report. Nothing
 * waits for them: a pod that stops or stands still takes them with it.
 */
export class Health {
  readonly #loop: Loop;
  readonly #report: (app: string, state: HealthState) => void;
  readonly #patients = new Map<string, Patient>();
  #session: Session | undefined;
  #isPaused = false;

  constructor(loop: Loop, report: (app: string, state: HealthState) => void) {
    this.#loop = loop;
    this.#report = report;
  }

  open(session: Session): void {
    this.#session = session;
  }

  /** Before the app starts. */
  expect(app: string, plan: HealthPlan | undefined): void {
    this.forget(app);
    if (plan === undefined) return;
    const none = { since: undefined, next: undefined, check: undefined, before: undefined };
    this.#patients.set(app, { plan, state: UNCHECKED, ...none });
  }

  /** It runs, again perhaps: what was known of the process before says nothing of this one. */
  started(app: string): void {
    const patient = this.#patients.get(app);
    if (patient === undefined) return;
    patient.since = monotonicMilliseconds();
    this.#become(app, patient, UNCHECKED);
    this.#plan(app, patient);
  }

  /** It does not run any more. */
  ended(app: string): void {
    const patient = this.#patients.get(app);
    if (patient === undefined) return;
    patient.since = undefined;
    this.#rest(patient);
  }

  forget(app: string): void {
    this.ended(app);
    this.#patients.delete(app);
  }

  /** The pod stands still, and so does every limit of time. */
  pause(): void {
    this.#isPaused = true;
    for (const { next, check } of this.#patients.values()) {
      next?.cancel();
      check?.suspend();
    }
  }

  resume(): void {
    this.#isPaused = false;
    for (const [app, patient] of this.#patients) {
      if (patient.since === undefined) continue;
      if (patient.check === undefined) this.#plan(app, patient);
      else patient.check.limit(patient.plan.timeout);
    }
  }

  close(): void {
    for (const patient of this.#patients.values()) this.#rest(patient);
    this.#patients.clear();
  }

  #rest(patient: Patient): void {
    patient.next?.cancel();
    patient.next = undefined;
    patient.check?.cancel();
    this.#leave(patient);
  }

  #plan(app: string, patient: Patient): void {
    patient.next?.cancel();
    if (!this.#isPaused)
      patient.next = this.#loop.after(patient.plan.interval, () => this.#examine(app, patient));
  }

  #examine(app: string, patient: Patient, waited = 0): void {
    const session = this.#session;
    const plan = session?.planOf(app);
    const { since } = patient;
    if (session === undefined || plan === undefined || since === undefined || !session.isRunning(app)) return;
    const up = monotonicMilliseconds() - since;
    // A guest could let them pile up; a slow one gets the time of a check to end one that was killed.
    if (patient.before?.isGone === false) {
      if (waited < patient.plan.timeout) this.#wait(app, patient, waited);
      else this.#examined(app, patient, { exitCode: null, output: 'the check before has not ended' }, up);
      return;
    }
    patient.check = new HealthCheck(this.#loop, session, plan, patient.plan, (result) =>
      this.#examined(app, patient, result, up),
    );
  }

  #wait(app: string, patient: Patient, waited: number): void {
    patient.next = this.#loop.after(WAIT_MS, () => this.#examine(app, patient, waited + WAIT_MS));
  }

  #examined(app: string, patient: Patient, result: CheckResult, upMs: number): void {
    this.#leave(patient);
    const { seconds, nanoseconds } = realtime();
    const now = seconds * 1000 + Math.floor(nanoseconds / 1e6);
    this.#become(app, patient, judge(patient.plan, patient.state, result, upMs, now));
    this.#plan(app, patient);
  }

  #leave(patient: Patient): void {
    patient.before = patient.check ?? patient.before;
    patient.check = undefined;
  }

  #become(app: string, patient: Patient, state: HealthState): void {
    patient.state = state;
    this.#report(app, state);
  }
}
