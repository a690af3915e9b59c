import type { BootPlan } from '../src/abi/boot-plan.ts';
import type { PodMessage, StartStep } from '../src/abi/guest.ts';
import type { Timer } from '../src/native/loop.ts';
import type { ChildExit, Exit } from '../src/native/processes.ts';
import { killEverybody } from './app-processes.ts';
import { Apps } from './apps.ts';
import { appOf } from './child.ts';
import { hasChildren } from './children.ts';
import { InitError } from './error.ts';
import { startSession } from './exec-sessions.ts';
import type { GateMessage } from './gate.ts';
import { makeLateVolumes } from './made-volumes.ts';
import type { PodSurroundings } from './pod-surroundings.ts';
import { allOver, allReady, exitStatus, isOver } from './policy.ts';
import { handlerFailure } from './pre-start.ts';
import { preparePod, setClock } from './preparation.ts';
import { forgetPod } from './renewal.ts';
import { sendStatistics } from './statistics.ts';
import { StreamTable } from './stream-table.ts';
import type { ChildStreams } from './streams.ts';
import { Task, type TaskOrder } from './task.ts';
import { TaskTable } from './task-table.ts';

/**
 * The life of the pod: `waiting` for its plan; `starting`: the apps prepare, none runs; `running`; `stopping`: SIGTERM was
 * sent, the grace runs; `ending`: everything was killed, the last bytes leave; `ended`: the host knows.
 */
type PodPhase = 'waiting' | 'starting' | 'running' | 'stopping' | 'ending' | 'ended';

export class Pod {
  readonly #around: PodSurroundings;
  readonly #streams: StreamTable;
  #tasks = new TaskTable();
  #apps: Apps;
  #phase: PodPhase = 'waiting';
  #plan: BootPlan | undefined;
  #grace: Timer | undefined;

  constructor(around: PodSurroundings) {
    this.#around = around;
    this.#streams = new StreamTable(around.loop, around.channels, {
      credit: (stream, bytes) => around.host.send({ type: 'credit', stream, bytes }),
      drained: () => this.#settle(),
      broken: (problem) => {
        throw new InitError('host', `data channel: ${problem.message}`, { cause: problem });
      },
    });
    this.#apps = this.#makeApps();
  }

  #makeApps(): Apps {
    const { loop, host, groups } = this.#around;
    return new Apps({
      ...{ loop, host, groups, tasks: this.#tasks },
      open: (streams) => this.#streams.open(streams),
      launch: (order, childs) => this.#launch(order, childs),
      failed: () => {
        if (!this.#isMutable) this.#stop();
      },
      isMutable: () => this.#isMutable,
    });
  }

  /** From its end to its beginning. */
  renew(): void {
    if (this.#phase !== 'ended' || !this.#plan) throw new InitError('host', 'the pod is not over');
    forgetPod(this.#plan, this.#around.groups);
    this.#tasks = new TaskTable();
    this.#apps = this.#makeApps();
    this.#plan = undefined;
    this.#phase = 'waiting';
  }

  receive(message: PodMessage): void {
    switch (message.type) {
      case 'boot':
        this.#boot(message.plan);
        return;
      case 'credit':
      case 'close':
      case 'resize':
        this.#streams.receive(message);
        return;
      case 'signal':
        this.#tasks.signal(message.target, message.signal);
        return;
      case 'exec':
        startSession(this.#sessions, message);
        return;
      case 'end-session':
        this.#tasks.get(message.id)?.destroy();
        return;
      case 'start':
        this.#start(message);
        return;
      case 'stop-app':
        this.#apps.stop(message.app, message.graceSeconds);
        this.#settle();
        return;
      case 'forget':
        this.#apps.forget(message.app, message.root, this.#shares);
        return;
      case 'stop':
        this.#stop();
        this.#settle();
        return;
      case 'stats':
        sendStatistics(this.#around, message.request, this.#tasks.apps());
        return;
      case 'names':
        this.#apps.knowNames(message.names);
        return;
      case 'clock':
        setClock(this.#plan, message);
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
    preparePod(plan, this.#around);
    this.#apps.knowNames(plan.names);
    const waits = plan.apps.length > 1;
    for (const app of plan.apps) this.#apps.start(app, this.#shares, waits);
    if (!waits) this.#phase = 'running';
    this.#settle();
  }

  get #shares() {
    return this.#plan?.machine?.shares ?? [];
  }

  get #isMutable(): boolean {
    return this.#plan?.staysWhenEmpty === true;
  }

  get #sessions() {
    const launch = (order: TaskOrder, childs: ChildStreams) => this.#launch(order, childs);
    const isRunning = this.#phase === 'running';
    return { host: this.#around.host, tasks: this.#tasks, streams: this.#streams, isRunning, launch };
  }

  #start({ app, volumes }: Extract<PodMessage, { type: 'start' }>): void {
    const before = this.#tasks.get(app.name)?.phase;
    if (before !== undefined && !isOver(before)) throw new InitError('host', `a second app ${app.name}`);
    const isUp = this.#phase === 'starting' || this.#phase === 'running';
    const message = isUp ? makeLateVolumes(volumes) : 'the pod ends';
    if (message === undefined) this.#apps.start(app, this.#shares, false);
    else {
      this.#around.host.send({ type: 'failed', id: app.name, step: 'root', message });
      this.#streams.attachNothing(app.streams);
    }
  }

  #launch(order: TaskOrder, childs: ChildStreams): void {
    const group = this.#around.groups.join(appOf(order.dwelling));
    const task = new Task(
      this.#around.loop,
      { ...order, group, strict: this.#plan?.strict === true },
      childs,
      (said, message) => this.#heard(said, message),
    );
    this.#tasks.add(task);
    if (order.streams.kind === 'terminal') this.#streams.expectTerminal(order.streams.stream, order.streams);
  }

  /** What a child says at its gate. */
  #heard(task: Task, message: GateMessage): void {
    switch (message.kind) {
      case 'ready':
        this.#ready(task, message.terminal);
        return;
      case 'rooted':
        this.#apps.keepsRoot(task, message.namespace);
        return;
      case 'unset':
        // Of others it has been said when their app was started.
        if (task.kind === 'app')
          this.#around.host.send({ type: 'warning', message: `app ${task.id}: ${message.message}` });
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
    if (terminal !== undefined) this.#streams.attachTerminalOf(task, terminal);
    if (task.phase !== 'preparing') return;
    task.phase = 'ready';
    this.#startAll();
  }

  /** Once every app is prepared, or has failed to be where that is its own affair. */
  #startAll(): void {
    if (this.#phase !== 'starting' || !allReady(this.#tasks.phasesOfApps())) return;
    this.#phase = 'running';
    for (const app of this.#tasks.apps()) if (app.phase === 'ready') app.go();
  }

  #passed(task: Task): void {
    if (task.phase === 'starting') {
      task.phase = 'running';
      if (task.kind === 'app') this.#apps.runs(task);
      if (task.kind !== 'handler') this.#around.host.send({ type: 'started', id: task.id, pid: task.pid });
    } else if (task.phase === 'preparing' || task.phase === 'ready') {
      this.#failed(task, 'exec', 'its process died before it could start');
    }
  }

  #failed(task: Task, step: StartStep, message: string): void {
    if (isOver(task.phase) || task.phase === 'resting') return;
    this.#streams.endTerminalOf(task);
    if (task.kind === 'app') {
      this.#apps.failed(task, step, message);
      this.#startAll();
      return;
    }
    task.phase = 'failed';
    if (task.kind === 'handler') this.#apps.handled(task, `could not be started: ${message}`);
    else this.#around.host.send({ type: 'failed', id: task.id, step, message });
  }

  #taskEnded(task: Task, exit: Exit): void {
    task.listen();
    if (task.phase === 'running') {
      const status = exitStatus(exit);
      if (task.kind !== 'app') task.phase = 'ended';
      if (task.kind === 'app') this.#apps.ended(task, status);
      else if (task.kind === 'handler') this.#apps.handled(task, handlerFailure(exit));
      else this.#around.host.send({ type: 'exited', id: task.id, status, outOfMemory: false });
    }
    this.#tasks.reaped(task);
  }

  #stop(): void {
    if (this.#phase !== 'starting' && this.#phase !== 'running') return;
    this.#phase = 'stopping';
    this.#apps.endAll();
    for (const task of this.#tasks.all()) {
      // It may have passed its gate without our having heard.
      task.listen();
      // What an app does at its end is not cut short before its time.
      if (task.kind === 'handler' || task.phase === 'leaving') continue;
      if (task.phase === 'running') task.terminate();
      else if (!isOver(task.phase)) this.#drop(task);
    }
    const seconds = this.#plan?.stopGraceSeconds ?? 0;
    this.#grace = this.#around.loop.after(seconds * 1000, killEverybody);
  }

  /** Does not run (yet, or at the moment), so nothing is lost with it. */
  #drop(task: Task): void {
    this.#streams.endTerminalOf(task);
    if (task.kind === 'app') {
      this.#apps.cutShort(task);
    } else {
      task.phase = 'dropped';
      task.signal('SIGKILL');
    }
  }

  /** Goes on to the end of the pod as far as it can: apps, then everybody else, then the last bytes. */
  #settle(): void {
    if (this.#phase === 'waiting' || this.#phase === 'ended') return;
    if (this.#phase !== 'ending') {
      const goesOn = this.#isMutable && this.#phase !== 'stopping';
      if (goesOn || !allOver(this.#tasks.phasesOfApps())) return;
      this.#phase = 'ending';
      this.#grace?.cancel();
      killEverybody();
    }
    if (hasChildren() || !this.#streams.drained) return;
    this.#phase = 'ended';
    this.#around.host.send({ type: 'ended' });
  }
}
