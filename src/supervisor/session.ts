import type { BootPlan } from '../abi/boot-plan.ts';
import { exitCodeOf, startFailureCode } from '../abi/exit-code.ts';
import {
  type ExitStatus,
  type GuestMessage,
  type HostMessage,
  PROTOCOL_VERSION,
  type StartStep,
} from '../abi/guest.ts';
import type { Loop } from '../native/loop.ts';
import { SupervisorError } from './error.ts';
import { GuestChannel } from './guest-channel.ts';
import { Streams } from './streams.ts';

/** What becomes of a process that the host started: an app, or an exec session. */
export interface ProcessEvents {
  started(pid: number): void;
  failed(step: StartStep, message: string): void;
  exited(code: number): void;
}

export interface SessionEvents {
  /** PID 1 has answered; the pod's plan is asked for, and sent. */
  hello(kernel: string): BootPlan;
  app(name: string): ProcessEvents;
  /** All apps have been started. */
  ready(): void;
  warning(message: string): void;
  /** All apps have ended and all their output has been passed on; the code is the pod's. */
  ended(code: number): void;
  /** It is over without an orderly end. */
  failed(problem: SupervisorError): void;
}

interface Process {
  readonly events: ProcessEvents;
  readonly isApp: boolean;
  state: 'starting' | 'running';
}

/**
 * A pod's life as its supervisor sees it, over the two channels to PID 1: hello, boot, the apps' fates, ended, power-off.
 * Whatever the guest says out of turn loses it its pod.
 */
export class Session {
  readonly streams: Streams;
  readonly #channel: GuestChannel;
  readonly #events: SessionEvents;
  readonly #processes = new Map<string, Process>();
  #state: 'waiting' | 'running' | 'ended' | 'closed' = 'waiting';
  #plan: BootPlan | undefined;
  #starting = 0;
  #code = 0;
  #nextExec = 1;

  /** Takes the fds over. */
  constructor(loop: Loop, control: number, data: number, events: SessionEvents) {
    this.#events = events;
    const broken = (problem: SupervisorError) => this.#fail(problem);
    this.#channel = new GuestChannel(loop, control, { message: (message) => this.#take(message), broken });
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
    const id = `exec-${this.#nextExec++}`;
    this.#processes.set(id, { events, isApp: false, state: 'starting' });
    return id;
  }

  isRunning(app: string): boolean {
    const process = this.#processes.get(app);
    return process?.isApp === true && process.state === 'running';
  }

  close(): void {
    this.#state = 'closed';
    this.#channel.close();
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
        this.#hello(message.version, message.kernel);
        break;
      case 'started':
        this.#started(message.id, message.pid);
        break;
      case 'failed':
        this.#failed(message.id, message.step, message.message);
        break;
      case 'exited':
        this.#exited(message.id, message.status);
        break;
      case 'credit':
        this.streams.grant(message.stream, message.bytes);
        break;
      case 'warning':
        this.#events.warning(message.message);
        break;
      case 'fatal':
        this.#fail(new SupervisorError('guest-failed', `the pod's init gave up: ${message.message}`));
        break;
      case 'ended':
        this.#ended();
        break;
      default:
        message satisfies never;
    }
  }

  #hello(version: number, kernel: string): void {
    if (this.#state !== 'waiting') this.#outOfTurn('hello');
    else if (version !== PROTOCOL_VERSION)
      this.#fail(
        new SupervisorError(
          'guest-failed',
          `the pod's init speaks protocol ${version}, not ${PROTOCOL_VERSION}`,
        ),
      );
    else this.#boot(kernel);
  }

  #boot(kernel: string): void {
    this.#state = 'running';
    const plan = this.#events.hello(kernel);
    this.#plan = plan;
    this.#starting = plan.apps.length;
    for (const { name } of plan.apps)
      this.#processes.set(name, { events: this.#events.app(name), isApp: true, state: 'starting' });
    this.send({ type: 'boot', version: PROTOCOL_VERSION, plan });
  }

  #started(id: string, pid: number): void {
    const process = this.#process(id, 'starting');
    if (process === undefined) return;
    process.state = 'running';
    process.events.started(pid);
    if (process.isApp && --this.#starting === 0) this.#events.ready();
  }

  #failed(id: string, step: StartStep, message: string): void {
    const process = this.#process(id, 'starting');
    if (process === undefined) return;
    this.#processes.delete(id);
    if (process.isApp) this.#note(startFailureCode(step));
    process.events.failed(step, message);
  }

  #exited(id: string, status: ExitStatus): void {
    const process = this.#process(id, 'running');
    if (process === undefined) return;
    this.#processes.delete(id);
    const code = exitCodeOf(status);
    if (process.isApp) this.#note(code);
    process.events.exited(code);
  }

  /** The first failure is the pod's: what follows it is mostly the others being ended. */
  #note(code: number): void {
    if (this.#code === 0) this.#code = code;
  }

  #ended(): void {
    if (this.#state !== 'running') {
      this.#outOfTurn('ended');
      return;
    }
    this.#state = 'ended';
    this.streams.whenDrained(() => {
      if (this.#state === 'ended') this.#events.ended(this.#code);
    });
  }

  #process(id: string, state: Process['state']): Process | undefined {
    const process = this.#processes.get(id);
    if (process?.state === state) return process;
    this.#outOfTurn(`a message about ${JSON.stringify(id.slice(0, 80))}`);
    return undefined;
  }

  #outOfTurn(what: string): void {
    this.#fail(new SupervisorError('guest-broken', `the guest sent ${what} out of turn`));
  }
}
