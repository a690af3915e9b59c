import { type AppPlan, type BootPlan, NO_RESTART, type RootPlan } from '../abi/boot-plan.ts';
import { exitCodeOf, startFailureCode } from '../abi/exit-code.ts';
import {
  type ExitStatus,
  type GuestMessage,
  type HostMessage,
  PROTOCOL_VERSION,
  type StartStep,
} from '../abi/guest.ts';
import type { MadeVolume } from '../abi/made-volumes.ts';
import type { Notice } from '../abi/notify.ts';
import type { Loop } from '../native/loop.ts';
import { SupervisorError } from './error.ts';
import { GuestChannel } from './guest-channel.ts';
import { GuestQuestions } from './guest-questions.ts';
import type { ProcessEvents, SessionChannels, SessionEvents } from './session-events.ts';
import type { Process } from './session-process.ts';
import { Streams } from './streams.ts';

type Hello = GuestMessage & { readonly type: 'hello' };

/**
 * A pod's life as its supervisor sees it, over the two channels to PID 1: hello, boot, the apps' fates, ended, power-off.
 * Whatever the guest says out of turn loses it its pod.
 */
export class Session {
  readonly streams: Streams;
  readonly questions: GuestQuestions;
  readonly #channel: GuestChannel;
  readonly #events: SessionEvents;
  readonly #processes = new Map<string, Process>();
  readonly #forgetting = new Map<string, () => void>();
  #state: 'waiting' | 'running' | 'ended' | 'closed' = 'waiting';
  #plan: BootPlan | undefined;
  #starting = 0;
  #code = 0;
  #nextExec = 1;

  /** Takes the channels over. */
  constructor(loop: Loop, { control, ...data }: SessionChannels, events: SessionEvents) {
    this.#events = events;
    const broken = (problem: SupervisorError) => this.#fail(problem);
    this.#channel = new GuestChannel(loop, control, { message: (message) => this.#take(message), broken });
    this.questions = new GuestQuestions(loop, (message) => this.send(message));
    this.streams = new Streams(loop, data, { send: (message) => this.send(message), broken });
  }

  /** Undefined until the guest has been told what its pod is. */
  get plan(): BootPlan | undefined {
    return this.#plan;
  }

  send(message: HostMessage): void {
    this.#channel.send(message);
  }

  /** An id for an exec session, whose fate is reported to `events`. */
  expect(events: ProcessEvents): string {
    const id = `exec:${this.#nextExec++}`;
    this.#processes.set(id, { events, app: undefined, state: 'starting' });
    return id;
  }

  isRunning(app: string): boolean {
    const process = this.#processes.get(app);
    return this.#state === 'running' && process?.app !== undefined && process.state === 'running';
  }

  /** Whether it has been started and is not over: it runs, is about to, or rests before a restart. */
  isAlive(app: string): boolean {
    return this.#processes.get(app)?.app !== undefined;
  }

  /**
   * Starts an app in a mutable pod: a new one, or one that is not alive, with streams of its own. What becomes of it is told to what
   * `events.app` gives for its name.
   */
  startApp(plan: AppPlan, volumes: readonly MadeVolume[] = []): void {
    if (this.#state !== 'running' || this.isAlive(plan.name))
      throw new SupervisorError('refused', `app ${plan.name} cannot be started now`);
    this.#expectApp(plan, false);
    this.send({ type: 'start', app: plan, volumes });
  }

  /** SIGTERM, after the grace SIGKILL to all its processes; it is over when its events say so. One that is not alive stays so. */
  stopApp(app: string, graceSeconds: number): void {
    if (this.#state === 'running') this.send({ type: 'stop-app', app, graceSeconds });
  }

  /** The plan of an app that is alive. */
  planOf(app: string): AppPlan | undefined {
    return this.#processes.get(app)?.app?.plan;
  }

  /** Has PID 1 let go of an app that is not alive, of a mutable pod, and calls back when it has. */
  forgetApp(app: string, root: RootPlan, done: () => void): void {
    if (this.#state !== 'running') return;
    this.#forgetting.set(app, done);
    this.send({ type: 'forget', app, root });
  }

  close(): void {
    this.#state = 'closed';
    this.#channel.close();
    this.questions.close();
    this.streams.close();
  }

  #fail(problem: SupervisorError): void {
    if (this.#state === 'closed') return;
    this.close();
    this.#events.failed(problem);
  }

  #take(message: GuestMessage): void {
    switch (message.type) {
      case 'hello':
        this.#hello(message);
        break;
      case 'started':
        this.#started(message.id, message.pid);
        break;
      case 'failed':
        this.#failed(message.id, message.step, message.message);
        break;
      case 'exited':
        this.#exited(message.id, message.status, message.outOfMemory);
        break;
      case 'forgotten':
        this.#forgotten(message.id);
        break;
      case 'restarting':
        this.#restarting(message);
        break;
      case 'notify':
        this.#notified(message.id, message);
        break;
      case 'credit':
        this.streams.grant(message.stream, message.bytes);
        break;
      case 'app-stats':
      case 'stats':
        if (!this.questions.take(message)) this.#outOfTurn(message.type);
        break;
      case 'warning':
        this.#events.warning(message.message);
        break;
      case 'fatal':
        this.#fail(new SupervisorError('guest-failed', `the pod's init gave up: ${message.message}`));
        break;
      case 'ended':
      case 'settled':
        this.#over(message.type);
        break;
      default:
        message satisfies never;
    }
  }

  #hello(hello: Hello): void {
    const { version } = hello;
    if (this.#state !== 'waiting') this.#outOfTurn('hello');
    else if (version !== PROTOCOL_VERSION)
      this.#fail(
        new SupervisorError(
          'guest-failed',
          `the pod's init speaks protocol ${version}, not ${PROTOCOL_VERSION}`,
        ),
      );
    else this.#boot(hello);
  }

  #boot({ kernel, initMs, helloMs }: Hello): void {
    const plan = this.#events.hello(kernel, { initMs, helloMs });
    if (plan === undefined) return;
    this.#state = 'running';
    this.#plan = plan;
    this.#starting = plan.apps.length;
    for (const app of plan.apps) this.#expectApp(app, true);
    this.send({ type: 'boot', version: PROTOCOL_VERSION, plan });
    if (this.#starting === 0) this.#events.ready();
  }

  #expectApp(plan: AppPlan, awaited: boolean): void {
    const events = this.#events.app(plan.name);
    this.#processes.set(plan.name, {
      events,
      app: { plan, events, restarts: 0, awaited },
      state: 'starting',
    });
  }

  #forgotten(app: string): void {
    const done = this.#forgetting.get(app);
    this.#forgetting.delete(app);
    if (done === undefined) this.#outOfTurn(`a message about ${JSON.stringify(app.slice(0, 80))}`);
    else done();
  }

  get #isMutable(): boolean {
    return this.#plan?.staysWhenEmpty === true;
  }

  #started(id: string, pid: number): void {
    const process = this.#process(id, 'starting', 'resting');
    if (process === undefined) return;
    process.state = 'running';
    process.events.started(pid);
    if (process.app?.plan.notify !== true) this.#noLongerAwaited(process);
  }

  #notified(id: string, { state, status }: Notice): void {
    const process = this.#process(id, 'running');
    if (process === undefined) return;
    if (process.app?.plan.notify !== true) {
      this.#outOfTurn(`a notice of ${JSON.stringify(id.slice(0, 80))}`);
      return;
    }
    this.#events.notified(id, { state, status });
    if (state === 'ready') this.#noLongerAwaited(process);
  }

  #noLongerAwaited({ app }: Process): void {
    if (app?.awaited !== true) return;
    app.awaited = false;
    if (--this.#starting === 0) this.#events.ready();
  }

  #failed(id: string, step: StartStep, message: string): void {
    const process = this.#process(id, 'starting', 'resting');
    if (process === undefined) return;
    this.#processes.delete(id);
    if (process.app !== undefined) this.#note(startFailureCode(step));
    process.events.failed(step, message);
    if (this.#isMutable) this.#noLongerAwaited(process);
  }

  #exited(id: string, status: ExitStatus, outOfMemory: boolean): void {
    // One that rests has ended for good when it is stopped.
    const process = this.#process(id, 'running', 'resting');
    if (process === undefined) return;
    this.#processes.delete(id);
    const code = exitCodeOf(status);
    if (process.app !== undefined) this.#note(code);
    process.events.exited(code, outOfMemory);
  }

  /** Held to what its plan allows: whoever counts wrong is not our PID 1. */
  #restarting({
    id,
    status,
    outOfMemory,
    delayMs,
    count,
  }: Extract<GuestMessage, { type: 'restarting' }>): void {
    const process = this.#process(id, 'running', 'resting');
    const app = process?.app;
    if (process === undefined) return;
    const { policy, most } = app?.plan.restart ?? NO_RESTART;
    if (
      app === undefined ||
      policy === 'no' ||
      count !== app.restarts + 1 ||
      (most !== null && count > most)
    ) {
      this.#outOfTurn(`a restart of ${JSON.stringify(id.slice(0, 80))}`);
      return;
    }
    app.restarts = count;
    process.state = 'resting';
    app.events.restarting({ code: exitCodeOf(status), outOfMemory, delayMs, count });
  }

  /** The first failure is the pod's: what follows it is mostly the others being ended. A mutable pod's apps fail for themselves. */
  #note(code: number): void {
    if (this.#code === 0 && !this.#isMutable) this.#code = code;
  }

  #over(what: 'ended' | 'settled'): void {
    if (this.#state !== (what === 'ended' ? 'running' : 'ended')) this.#outOfTurn(what);
    else if (what === 'settled') this.#events.settled();
    else {
      this.#state = 'ended';
      this.streams.whenDrained(() => this.#state === 'ended' && this.#events.ended(this.#code));
    }
  }

  #process(id: string, ...states: readonly Process['state'][]): Process | undefined {
    const process = this.#processes.get(id);
    if (process !== undefined && states.includes(process.state)) return process;
    this.#outOfTurn(`a message about ${JSON.stringify(id.slice(0, 80))}`);
    return undefined;
  }

  #outOfTurn(what: string): void {
    this.#fail(new SupervisorError('guest-broken', `the guest sent ${what} out of turn`));
  }
}
