import type { BootPlan, ProcessPlan, RootPlan } from '../src/abi/boot-plan.ts';
import { EXIT } from '../src/abi/exit-code.ts';
import type { Loop, Timer } from '../src/native/loop.ts';
import { endpoint } from '../src/supervisor/endpoints.ts';
import { Report } from '../src/supervisor/report.ts';
import { explain } from '../src/supervisor/running/problems.ts';
import { Session } from '../src/supervisor/session.ts';
import { KvmError } from './error.ts';
import { Machine } from './machine.ts';
import type { MachineSetup } from './machine-setup.ts';

/** A guest on a host under load needs many times the second or two that it needs otherwise. */
const HELLO_SECONDS = 180;
/** To say what has become of an archive, once all of it has come; and to power itself off. */
const END_SECONDS = 10;
const [STDOUT, STDERR] = [1, 2];
/** Several ends notice that something breaks, in any order. */
const SETTLE_MS = 100;

export interface ArchiveOrder {
  readonly root: Extract<RootPlan, { kind: 'block' }>;
  readonly process: ProcessPlan;
  plan(): BootPlan;
}

/** A machine for as long as it takes to archive what is on its disk. What it sends goes to standard output, and is not believed here. */
export class Archiving {
  readonly #loop: Loop;
  readonly #report = new Report('changes', false);
  readonly #machine: Machine;
  readonly #session: Session;
  readonly #order: ArchiveOrder;
  readonly #problems: Error[] = [];
  #deadline: Timer;
  #code: number | undefined;
  #ending = false;

  constructor(loop: Loop, setup: MachineSetup, order: ArchiveOrder) {
    this.#loop = loop;
    this.#order = order;
    this.#machine = new Machine(loop, setup, undefined, () => {}, {
      failed: (problem) => this.#fail(problem),
      gone: () => this.#gone(),
    });
    this.#session = this.#openSession();
    this.#deadline = loop.after(HELLO_SECONDS * 1000, () =>
      this.#fail(new KvmError('vessel-failed', `the guest did not answer within ${HELLO_SECONDS} seconds`)),
    );
  }

  /** Until the machine has gone. Gives the code that the archiving process ended with; another than 0 where it did not come to that. */
  run(): number {
    return this.#loop.run();
  }

  #openSession(): Session {
    const { channels } = this.#machine;
    return new Session(this.#loop, channels, {
      hello: () => {
        this.#deadline.cancel();
        return this.#order.plan();
      },
      app: (name) => {
        throw new KvmError('vessel-failed', `an app ${name} in a machine that has none`);
      },
      ready: () => this.#archive(),
      notified: () => {},
      warning: () => {},
      ended: () => this.#end(),
      // It has no apps that could have ended before: what it says on its way out is heard as out of turn, which is its end as well.
      settled: () => {},
      failed: (problem) => this.#fail(problem),
    });
  }

  #archive(): void {
    const { streams } = this.#session;
    const [stdout, stderr] = [streams.allocate(), streams.allocate()];
    streams.output(stdout, endpoint(STDOUT, 'write'));
    streams.output(stderr, endpoint(STDERR, 'write'));
    const id = this.#session.expect({
      started: () => {},
      failed: (_, message) => this.#fail(new KvmError('vessel-failed', message)),
      exited: (code) => {
        this.#code = code;
        streams.whenDrained(() => this.#leave());
      },
    });
    const { root, process } = this.#order;
    this.#session.send({
      type: 'exec',
      id,
      app: root.app,
      changes: root,
      process,
      streams: { kind: 'pipes', stdin: null, stdout, stderr },
    });
  }

  /** The disk is left as a file system that is whole. */
  #leave(): void {
    this.#deadline = this.#loop.after(END_SECONDS * 1000, () => this.#end());
    this.#session.send({ type: 'power-off' });
  }

  #fail(problem: Error): void {
    // A machine that was told to go loses its channels first.
    if (this.#code !== undefined) this.#end();
    if (this.#ending) return;
    this.#problems.push(problem);
    if (this.#problems.length === 1) this.#loop.after(SETTLE_MS, () => this.#giveUp());
  }

  #giveUp(): void {
    if (this.#ending) return;
    for (const line of this.#machine.lastWords()) this.#report.say(line);
    this.#report.say(explain(this.#problems));
    this.#code = EXIT.failure;
    this.#end();
  }

  #end(): void {
    if (this.#ending) return;
    this.#ending = true;
    this.#deadline.cancel();
    this.#session.close();
    this.#machine.kill();
  }

  #gone(): void {
    if (this.#problems.length > 0) this.#giveUp();
    this.#loop.stop(this.#code ?? EXIT.failure);
  }
}
