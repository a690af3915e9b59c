import type { ProcessPlan, StreamsPlan } from '../src/abi/boot-plan.ts';
import { unless } from '../src/native/errors.ts';
import { close } from '../src/native/files.ts';
import type { Loop, Watch } from '../src/native/loop.ts';
import { kill, type Signal } from '../src/native/processes.ts';
import { killSession } from './app-processes.ts';
import type { ChildOrder, Dwelling } from './child.ts';
import { type GateMessage, hear, sayGo } from './gate.ts';
import { launch } from './launch.ts';
import type { ChildStreams } from './streams.ts';

/**
 * - `preparing`: making its root; `ready`: waits at the gate; `starting`: told to go; `running`: its program runs;
 * - `leaving`: has ended, and the app's event handler for that runs;
 * - `resting`: has ended, and the app will be started again;
 * - `failed`: could not start, said so; `dropped`: the pod ended before it started; `ended`: has run and been reaped.
 */
export type TaskPhase =
  | 'preparing'
  | 'ready'
  | 'starting'
  | 'running'
  | 'leaving'
  | 'resting'
  | 'failed'
  | 'dropped'
  | 'ended';

export interface TaskOrder {
  readonly id: string;
  readonly dwelling: Dwelling;
  readonly process: ProcessPlan;
  readonly streams: StreamsPlan;
  /** Is told when to run its program. */
  readonly waits: boolean;
}

/** One process of the plan with its gate: an app's main process, its event handler, or an exec session's. */
export class Task {
  readonly id: string;
  readonly dwelling: Dwelling;
  readonly streams: StreamsPlan;
  readonly pid: number;
  readonly #gate: number;
  readonly #watch: Watch;
  readonly #onMessage: (task: Task, message: GateMessage) => void;
  phase: TaskPhase = 'preparing';
  /** Its terminal's other end has arrived. */
  hasTerminal = false;
  /** Its pid is free for others. */
  reaped = false;
  #gateOpen = true;

  /** `childs` stay open on our side: they are the caller's to close. */
  constructor(
    loop: Loop,
    order: TaskOrder & Pick<ChildOrder, 'group' | 'strict'>,
    childs: ChildStreams,
    onMessage: (task: Task, message: GateMessage) => void,
  ) {
    const { id, dwelling, streams } = order;
    const { group, process, strict, waits } = order;
    const launched = launch({ dwelling, group, process, streams: childs, strict, waits });
    if (!waits) this.phase = 'starting';
    this.id = id;
    this.dwelling = dwelling;
    this.streams = streams;
    this.pid = launched.pid;
    this.#gate = launched.gate;
    this.#onMessage = onMessage;
    this.#watch = loop.watch(this.#gate, { readable: () => this.listen() });
  }

  get kind(): Dwelling['kind'] {
    return this.dwelling.kind;
  }

  /** Takes in all that the child has said by now. */
  listen(): void {
    while (this.#gateOpen) {
      const message = hear(this.#gate);
      if (message === undefined) return;
      if (message.kind === 'passed') this.#closeGate();
      this.#onMessage(this, message);
    }
  }

  go(): void {
    this.phase = 'starting';
    sayGo(this.#gate);
  }

  /** To the process itself. Nothing happens when it has gone. */
  signal(signal: Signal): void {
    if (!this.reaped) unless(['ESRCH'], () => kill(this.pid, signal));
  }

  /** Asks all of its session's first process group to end; stopped ones are woken, so that they can. */
  terminate(): void {
    for (const signal of ['SIGTERM', 'SIGCONT'] as const) unless(['ESRCH'], () => kill(-this.pid, signal));
  }

  /** SIGKILL to all of its session; it may not have come to a session of its own yet. */
  destroy(): void {
    this.signal('SIGKILL');
    killSession(this.pid);
  }

  #closeGate(): void {
    this.#gateOpen = false;
    this.#watch.close();
    close(this.#gate);
  }
}
