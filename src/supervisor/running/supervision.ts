import { EXIT } from '../../abi/exit-code.ts';
import type { Loop, Timer } from '../../native/loop.ts';
import { signals } from '../../native/signals.ts';
import type { Apps } from '../apps/apps.ts';
import { MutableApps } from '../apps/mutable.ts';
import type { PodCgroup } from '../cgroup.ts';
import { ControlServer } from '../control-server.ts';
import { SupervisorError } from '../error.ts';
import { type MachineFacts, recordMachine } from '../facts.ts';
import { STOP_GRACE_SECONDS } from '../plan/plan.ts';
import type { Report } from '../report.ts';
import { Session } from '../session.ts';
import type { AppEvents } from '../session-events.ts';
import { PodControl } from './control-handler.ts';
import { explain } from './problems.ts';
import { Standstill } from './standstill.ts';
import type { Vessel, VesselEvents } from './vessel.ts';

/** What a guest gets, once its own grace for the apps is over, to report and power off. */
const STOP_SLACK_SECONDS = 5;
/** For a guest to bring to the host's disks what it has in its memory. */
const POWER_OFF_SECONDS = 60;
/** When something breaks, several ends notice in any order; after this the best explanation has arrived. */
const SETTLE_MS = 100;

/** What a flavour has made ready for a pod. */
export interface Start {
  /** Starts what the pod lives in. */
  launch(loop: Loop, events: VesselEvents): Vessel;
  /** For the first word of PID 1. */
  readonly helloSeconds: number;
  readonly cgroup: PodCgroup;
  /** All apps have been started. */
  readonly ready?: () => void;
  /** Of a machine. */
  readonly facts: Omit<MachineFacts, 'kernel'> | undefined;
}

type Phase = 'booting' | 'running' | 'powering-off' | 'failing' | 'ending';

/** A pod from the start of what it lives in to its exit code. On every way out all children are dead and reaped. */
export class Supervision {
  readonly #loop: Loop;
  readonly #report: Report;
  readonly #vessel: Vessel;
  readonly #session: Session;
  readonly #control: ControlServer;
  readonly #standstill: Standstill;
  readonly #apps: Apps;
  readonly #mutable: MutableApps;
  readonly #leaveNetworks: () => void;
  readonly #hasOwnKernel: boolean;
  readonly #problems: Error[] = [];
  /** Apps that the pod began with, as long as they have not been started. */
  #unstarted: ReadonlySet<string> = new Set();
  #phase: Phase = 'booting';
  #deadline: Timer;
  #stopping = false;
  /** Of a pod that is stopped before it has come to all of its apps. */
  #stopCode = 0;
  #code: number = EXIT.failure;

  /** `leaveNetworks`: no app is left that could use one. */
  constructor(loop: Loop, report: Report, apps: Apps, start: Start, leaveNetworks: () => void) {
    this.#loop = loop;
    this.#leaveNetworks = leaveNetworks;
    this.#hasOwnKernel = start.facts !== undefined;
    this.#report = report;
    this.#apps = apps;
    this.#vessel = start.launch(loop, {
      failed: (problem) => this.#fail(problem),
      gone: () => this.#gone(),
    });
    const processes = this.#vessel.processes.map(({ name }) => name).join(' and ');
    report.step(`${processes} started`, {
      name: start.facts === undefined ? 'namespaces' : 'machine',
    });
    this.#session = this.#openSession(start);
    this.#mutable = new MutableApps({ loop, report, options: apps.options, apps, session: this.#session });
    this.#standstill = new Standstill(this.#vessel, this.#session, (paused) => apps.standStill(paused));
    this.#control = new ControlServer(
      loop,
      new PodControl({
        session: this.#session,
        apps,
        vessel: this.#vessel,
        mutable: this.#mutable,
        cgroup: start.cgroup,
        standstill: this.#standstill,
        pauseRefusal: () => this.#pauseRefusal(),
        stop: (force) => this.#stopAsked(force),
      }),
    );
    const seconds = start.helloSeconds;
    this.#deadline = loop.after(seconds * 1000, () =>
      this.#fail(new SupervisorError('vessel-failed', `the guest did not answer within ${seconds} seconds`)),
    );
    loop.onSignals(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'], ({ signal }) =>
      this.#stop(signal === signals.SIGQUIT, signal),
    );
  }

  /** Until the pod has ended. Gives its exit code. */
  run(): number {
    try {
      return this.#loop.run();
    } finally {
      // Also when a mistake of ours ends it: the caller needs the terminal to read of it.
      this.#apps.close();
    }
  }

  #openSession(start: Start): Session {
    const { channels, outputs } = this.#vessel;
    return new Session(
      this.#loop,
      { ...channels, outputs },
      {
        hello: (kernel, said) => {
          // The kernel of a saved machine counts from before it was saved, and is no part of this start.
          const restoredMs = this.#vessel.answered?.();
          if (restoredMs === 'given-up') return undefined;
          const uptimes = restoredMs === undefined ? said : { initMs: 0, helloMs: restoredMs };
          this.#report.step(`guest up (Linux ${kernel})`, { name: 'hello', ...uptimes });
          this.#deadline.cancel();
          // It may be failing by now, and just settling why.
          if (this.#phase === 'booting') this.#phase = 'running';
          if (start.facts !== undefined) recordMachine({ ...start.facts, kernel });
          const plan = this.#apps.plan(this.#session, kernel);
          this.#report.step('plan made', { name: 'plan' });
          this.#unstarted = new Set(plan.apps.map((app) => app.name));
          return plan;
        },
        app: (name) => this.#eventsOf(name),
        ready: () => {
          this.#report.step('ready', { name: 'ready' });
          this.#apps.ready();
          start.ready?.();
        },
        notified: (app, notice) => this.#apps.notified(app, notice),
        warning: (message) => this.#report.warn(`guest: ${message}`),
        ended: (code) => {
          this.#report.step('all apps have ended', { name: 'ended' });
          const own = code === 0 && this.#unstarted.size > 0 ? this.#stopCode : code;
          this.#apps.whenWritten(() => this.#powerOff(own));
        },
        // Its kernel needs a while to power off, and nothing of that is for anybody.
        settled: () => {
          if (this.#phase !== 'powering-off') return;
          this.#report.step('settled');
          this.#end(this.#code);
          this.#leaveNetworks();
        },
        failed: (problem) => this.#fail(problem),
      },
    );
  }

  #eventsOf(name: string): AppEvents {
    const events = this.#mutable.eventsOf(name, this.#apps.eventsOf(name));
    const started = (pid: number) => {
      this.#unstarted = new Set([...this.#unstarted].filter((other) => other !== name));
      events.started(pid);
    };
    return { ...events, started };
  }

  /** All apps have ended, and whoever wanted their output has it. */
  #powerOff(code: number): void {
    if (this.#phase !== 'running') return;
    this.#phase = 'powering-off';
    this.#code = code;
    this.#deadline.cancel();
    this.#deadline = this.#loop.after(POWER_OFF_SECONDS * 1000, () => {
      this.#report.warn(
        `the guest has not settled in ${POWER_OFF_SECONDS} seconds: what was written last may be lost`,
      );
      this.#end(code);
    });
    this.#session.send({ type: 'power-off' });
    // The kernel of a machine may still have something to send, to a disk that it has over the network.
    if (this.#hasOwnKernel) return;
    this.#apps.names.close();
    this.#leaveNetworks();
  }

  #pauseRefusal(): string | undefined {
    if (this.#phase === 'booting') return 'the pod is still starting';
    return this.#phase !== 'running' || this.#stopping ? 'the pod is being stopped' : undefined;
  }

  /** By a command: however many ask for an orderly end, only `force` ends the pod at once. */
  #stopAsked(force: boolean): void {
    if (force) this.#stop(true, signals.SIGKILL);
    else if (!this.#stopping) this.#stop(false, signals.SIGTERM);
  }

  /** Orderly at first; the second time, or with `force`, at once. */
  #stop(force: boolean, signal: number): void {
    if (this.#phase === 'ending' || this.#phase === 'failing') return;
    const code = 128 + signal;
    if (force || this.#stopping || this.#phase === 'booting') {
      this.#end(code);
      return;
    }
    this.#stopping = true;
    this.#stopCode = code;
    this.#report.step('stopping');
    this.#apps.stopping();
    // One that stands still hears nothing; if it cannot go on, its grace runs out.
    this.#standstill.whenRunning(() => this.#session.send({ type: 'stop' }));
    const patience = STOP_GRACE_SECONDS + STOP_SLACK_SECONDS;
    this.#deadline = this.#loop.after(patience * 1000, () => this.#end(code));
  }

  /** What goes when it was told to loses all that it had, its channels perhaps first: that is no failure. */
  #fail(problem: Error): void {
    if (this.#phase === 'powering-off') this.#end(this.#code);
    if (this.#phase === 'ending') return;
    this.#problems.push(problem);
    if (this.#phase === 'failing') return;
    this.#phase = 'failing';
    this.#loop.after(SETTLE_MS, () => this.#giveUp());
  }

  #giveUp(): void {
    if (this.#phase !== 'failing') return;
    this.#report.say(explain(this.#problems));
    for (const line of this.#vessel.lastWords()) this.#report.say(line);
    this.#end(EXIT.failure);
  }

  /** Nothing is left to wait for. */
  #gone(): void {
    this.#giveUp();
    this.#report.step('gone');
    this.#loop.stop(this.#code);
  }

  #end(code: number): void {
    if (this.#phase === 'ending') return;
    this.#phase = 'ending';
    this.#code = code;
    this.#deadline.cancel();
    this.#apps.close();
    this.#session.close();
    this.#control.close();
    this.#vessel.kill();
  }
}
