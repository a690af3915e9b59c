import type { BootPlan } from '../src/abi/boot-plan.ts';
import type { HostMessage, StartStep } from '../src/abi/guest.ts';
import { unless } from '../src/native/errors.ts';
import type { Loop, Timer } from '../src/native/loop.ts';
import { type ChildExit, type Exit, kill } from '../src/native/processes.ts';
import { hasChildren } from './children.ts';
import { InitError } from './error.ts';
import type { GateMessage } from './gate.ts';
import type { HostChannel } from './host-channel.ts';
import { allOver, allReady, endsPod, exitStatus, isOver } from './policy.ts';
import { preparePod } from './preparation.ts';
import { StreamTable } from './stream-table.ts';
import { Task, type TaskOrder } from './task.ts';
import { TaskTable } from './task-table.ts';

/**
 * The life of the pod: `waiting` for its plan; `starting`: the apps prepare, none runs; `running`; `stopping`: SIGTERM was
 * sent, the grace runs; `ending`: everything was killed, the last bytes leave; `ended`: the host knows.
 */
type PodPhase = 'waiting' | 'starting' | 'running' | 'stopping' | 'ending' | 'ended';

/** What the pod needs of PID 1. */
export interface PodSurroundings {
  readonly loop: Loop;
  readonly host: Pick<HostChannel, 'send'>;
  readonly data: number;
  /** Ends PID 1, and so the pod, at once. */
  leave(): void;
}

export class Pod {
  readonly #around: PodSurroundings;
  readonly #tasks = new TaskTable();
  readonly #streams: StreamTable;
  #phase: PodPhase = 'waiting';
  #plan: BootPlan | undefined;
  #grace: Timer | undefined;

  constructor(around: PodSurroundings) {
    this.#around = around;
    this.#streams = new StreamTable(around.loop, around.data, {
      credit: (stream, bytes) => around.host.send({ type: 'credit', stream, bytes }),
      drained: () => this.#settle(),
      broken: (problem) => {
        throw new InitError('host', `data channel: ${problem.message}`, { cause: problem });
      },
    });
  }

  receive(message: HostMessage): void {
    switch (message.type) {
      case 'boot':
        this.#boot(message.plan);
        return;
      case 'credit':
        this.#streams.grant(message.stream, message.bytes);
        return;
      case 'close':
        this.#streams.closeOutput(message.stream);
        return;
      case 'resize':
        this.#streams.resize(message.stream, message);
        return;
      case 'signal':
        this.#signal(message.target, message.signal);
        return;
      case 'exec':
        this.#exec(message);
        return;
      case 'stop':
        this.#stop();
        return;
      case 'power-off':
        this.#around.leave();
        return;
      default:
        message satisfies never;
    }
  }

  /** Every child of PID 1 that has ended, adopted orphans too. */
  reaped({ pid, exit }: ChildExit): void {
    const task = this.#tasks.ofProcess(pid);
    if (task !== undefined) this.#taskEnded(task, exit);
    this.#settle();
  }

  #boot(plan: BootPlan): void {
    if (this.#phase !== 'waiting') throw new InitError('host', 'a second boot plan');
    this.#phase = 'starting';
    this.#plan = plan;
    preparePod(plan);
    const shares = plan.machine?.shares ?? [];
    const waits = plan.apps.length > 1;
    for (const app of plan.apps) {
      const dwelling = { kind: 'app', app, shares } as const;
      this.#launch({ id: app.name, dwelling, process: app.process, streams: app.streams, waits });
    }
    if (!waits) this.#phase = 'running';
    this.#settle();
  }

  #launch(order: TaskOrder): void {
    const task = new Task(this.#around.loop, order, (said, message) => this.#heard(said, message));
    this.#tasks.add(task);
    for (const end of task.ends) this.#streams.attach(end);
    if (order.streams.kind === 'terminal') this.#streams.expectTerminal(order.streams.stream, order.streams);
  }

  #exec({ id, app, process, streams }: Extract<HostMessage, { type: 'exec' }>): void {
    if (this.#tasks.get(id) !== undefined) throw new InitError('host', `a second exec session ${id}`);
    const main = this.#tasks.get(app);
    if (this.#phase === 'running' && main?.phase === 'running' && main.kind === 'app') {
      const dwelling = { kind: 'session', of: main.pid } as const;
      this.#launch({ id, dwelling, process, streams, waits: false });
      return;
    }
    this.#around.host.send({ type: 'failed', id, step: 'root', message: `app ${app} is not running` });
    this.#streams.attachNothing(streams);
  }

  #signal(target: string, signal: number): void {
    const task = this.#tasks.get(target);
    if (task?.phase === 'running') task.signal(signal);
  }

  /** What a child says at its gate. */
  #heard(task: Task, message: GateMessage): void {
    switch (message.kind) {
      case 'ready':
        this.#ready(task, message.terminal);
        return;
      case 'failed':
        this.#failed(task, message.step, message.message);
        return;
      case 'passed':
        this.#passed(task);
        return;
      default:
        message satisfies never;
    }
  }

  #ready(task: Task, terminal: number | undefined): void {
    if (terminal !== undefined && task.streams.kind === 'terminal') {
      this.#streams.attachTerminal(task.streams.stream, terminal);
      task.hasTerminal = true;
    }
    if (task.phase !== 'preparing') return;
    task.phase = 'ready';
    if (allReady(this.#tasks.phasesOfApps())) this.#startAll();
  }

  #startAll(): void {
    this.#phase = 'running';
    for (const app of this.#tasks.apps()) app.go();
  }

  #passed(task: Task): void {
    if (task.phase === 'starting') {
      task.phase = 'running';
      this.#around.host.send({ type: 'started', id: task.id, pid: task.pid });
    } else if (task.phase === 'preparing' || task.phase === 'ready') {
      this.#failed(task, 'exec', 'its process died before it could start');
    }
  }

  #failed(task: Task, step: StartStep, message: string): void {
    if (isOver(task.phase)) return;
    this.#abandon(task, 'failed');
    this.#around.host.send({ type: 'failed', id: task.id, step, message });
    if (task.kind === 'app') this.#stop();
  }

  #abandon(task: Task, phase: 'failed' | 'dropped'): void {
    if (task.streams.kind === 'terminal' && !task.hasTerminal) this.#streams.attachNothing(task.streams);
    task.phase = phase;
  }

  #taskEnded(task: Task, exit: Exit): void {
    task.listen();
    if (task.phase === 'running') {
      const status = exitStatus(exit);
      task.phase = 'ended';
      this.#around.host.send({ type: 'exited', id: task.id, status });
      if (task.kind === 'app' && endsPod(status)) this.#stop();
    }
    this.#tasks.reaped(task);
  }

  #stop(): void {
    if (this.#phase !== 'starting' && this.#phase !== 'running') return;
    this.#phase = 'stopping';
    for (const task of this.#tasks.all()) {
      // It may have passed its gate without our having heard.
      task.listen();
      if (task.phase === 'running') task.terminate();
      else if (!isOver(task.phase)) this.#drop(task);
    }
    const seconds = this.#plan?.stopGraceSeconds ?? 0;
    this.#grace = this.#around.loop.after(seconds * 1000, killEverybody);
  }

  /** Not started yet, so nothing is lost with it. */
  #drop(task: Task): void {
    this.#abandon(task, 'dropped');
    task.signal('SIGKILL');
  }

  /** Goes on to the end of the pod as far as it can: apps, then everybody else, then the last bytes. */
  #settle(): void {
    if (this.#phase === 'waiting' || this.#phase === 'ended') return;
    if (this.#phase !== 'ending') {
      if (!allOver(this.#tasks.phasesOfApps())) return;
      this.#phase = 'ending';
      this.#grace?.cancel();
      killEverybody();
    }
    if (hasChildren() || !this.#streams.drained) return;
    this.#phase = 'ended';
    this.#around.host.send({ type: 'ended' });
  }
}

/** All but PID 1 itself; nobody being left is no error. */
function killEverybody(): void {
  unless(['ESRCH'], () => kill(-1, 'SIGKILL'));
}
