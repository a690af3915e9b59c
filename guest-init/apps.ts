import type { AppPlan, RootPlan, SharePlan, StreamsPlan } from '../src/abi/boot-plan.ts';
import { startFailureCode } from '../src/abi/exit-code.ts';
import type { ExitStatus, StartStep } from '../src/abi/guest.ts';
import type { Notice } from '../src/abi/notify.ts';
import { monotonicMilliseconds } from '../src/native/clock.ts';
import type { Loop } from '../src/native/loop.ts';
import type { AppGroups } from './app-groups.ts';
import { AppLife } from './app-life.ts';
import { removeCovers, renewNames } from './covers.ts';
import { InitError } from './error.ts';
import type { HostChannel } from './host-channel.ts';
import { Lingering } from './lingering.ts';
import { removeVolumesOf } from './made-volumes.ts';
import { Notices } from './notices.ts';
import { endsPod, isOver } from './policy.ts';
import { handlerStreams, postStopOrder } from './post-stop.ts';
import type { RestartHistory } from './restarts.ts';
import { type ChildStreams, closeChildStreams } from './streams.ts';
import type { Task, TaskOrder } from './task.ts';
import type { TaskTable } from './task-table.ts';

/** What the apps need of their pod. */
export interface AppsSurroundings {
  readonly loop: Loop;
  readonly host: Pick<HostChannel, 'send'>;
  readonly tasks: TaskTable;
  readonly groups: AppGroups;
  open(streams: StreamsPlan): ChildStreams;
  launch(order: TaskOrder, childs: ChildStreams): void;
  /** A failure that nothing follows: in most pods it is the pod's end. */
  failed(): void;
  /** Apps come and go: what one leaves behind goes with it. */
  isMutable(): boolean;
}

/** The apps' starts and ends, and what follows an end: a restart, or the news to the host that the app is over. */
export class Apps {
  readonly #pod: AppsSurroundings;
  readonly #lives = new Map<string, AppLife>();
  readonly #lingering: Lingering;
  #names = '';

  constructor(pod: AppsSurroundings) {
    this.#pod = pod;
    this.#lingering = new Lingering(pod.loop);
  }

  start(app: AppPlan, shares: readonly SharePlan[], waits: boolean): void {
    const childs = this.#pod.open(app.streams);
    const life = new AppLife(app, shares, childs, (namespace) => this.#lingering.keep(namespace, shares));
    this.#lives.set(app.name, life);
    this.#begin(life, waits);
    if (life.isLast) life.release();
  }

  /** Lines of other pods, for all apps. */
  knowNames(names: string): void {
    this.#names = names;
    for (const task of this.#pod.tasks.apps()) if (task.phase === 'running') this.runs(task);
  }

  /** Its root is wanted when it has ended. Of one that was stopped meanwhile nothing is. */
  keepsRoot(task: Task, namespace: number | undefined): void {
    const life = this.#lifeOf(task);
    life.keep(namespace);
    if (isOver(task.phase)) this.#close(life);
  }

  /** Its root is made: what has become known meanwhile is told there. */
  runs(task: Task): void {
    renewNames(this.#lifeOf(task).app, this.#names);
  }

  /** Its main process has ended. */
  ended(task: Task, status: ExitStatus): void {
    const life = this.#lifeOf(task);
    life.notices?.close();
    life.outOfMemory = this.#pod.groups.memoryKills(task.id) > life.memoryKills;
    const { postStop } = life.app.handlers;
    if (postStop === null || life.namespace === undefined) {
      this.#left(task, life, status);
      return;
    }
    task.phase = 'leaving';
    life.last = status;
    const streams = handlerStreams(life.childs);
    this.#pod.launch(postStopOrder(life, postStop, life.namespace), streams);
    if (streams !== life.childs) closeChildStreams(streams);
  }

  /** Its event handler has ended, after its main process. */
  handled({ dwelling }: Task, failure: string | undefined): void {
    const task = dwelling.kind === 'handler' ? this.#pod.tasks.get(dwelling.app) : undefined;
    const life = task === undefined ? undefined : this.#lives.get(task.id);
    if (task === undefined || life?.last === undefined) return;
    if (failure !== undefined)
      this.#pod.host.send({ type: 'warning', message: `app ${task.id}: event handler post-stop ${failure}` });
    this.#left(task, life, life.last);
  }

  /** It could not be started. That it never could is no end that a restart mends. */
  failed(task: Task, step: StartStep, message: string): void {
    const life = this.#lifeOf(task);
    life.notices?.close();
    const status = { kind: 'exited', code: startFailureCode(step) } as const;
    const next = life.restarts === 0 ? undefined : life.next(status, monotonicMilliseconds());
    if (next !== undefined) {
      this.#pod.host.send({ type: 'warning', message: `app ${task.id}: ${message}` });
      this.#rest(task, life, status, next);
      return;
    }
    task.phase = 'failed';
    this.#close(life);
    this.#pod.host.send({ type: 'failed', id: task.id, step, message });
    this.#pod.failed();
  }

  stop(name: string, graceSeconds: number): void {
    const task = this.#pod.tasks.get(name);
    const life = this.#lives.get(name);
    if (task === undefined || life === undefined) return;
    // It may have passed its gate without our having heard.
    task.listen();
    if (isOver(task.phase)) return;
    life.stopping = true;
    if (task.phase === 'running' || task.phase === 'leaving') {
      life.timer?.cancel();
      life.timer = this.#pod.loop.after(graceSeconds * 1000, () => this.#killAll(task));
      if (task.phase === 'running') task.terminate();
    } else if (task.phase === 'resting') {
      this.cutShort(task);
    } else {
      this.#killUnstarted(task);
      this.failed(task, 'exec', 'it was stopped before it had started');
    }
  }

  /** One that is over leaves the pod. */
  forget(name: string, root: RootPlan, shares: readonly SharePlan[]): void {
    const task = this.#pod.tasks.get(name);
    if (task !== undefined && !isOver(task.phase)) throw new InitError('host', `app ${name} is not over`);
    const life = this.#lives.get(name);
    if (life !== undefined) removeCovers(life.app);
    this.#lives.delete(name);
    this.#pod.tasks.remove(name);
    this.#pod.groups.remove(name);
    this.#lingering.forgetRoot(root, shares);
    removeVolumesOf(name);
    this.#pod.host.send({ type: 'forgotten', id: name });
  }

  /** The pod ends: of one that has not started nothing is lost; one that rests has ended the way it did. */
  cutShort(task: Task): void {
    const life = this.#lifeOf(task);
    life.stopping = true;
    if (task.phase === 'resting' && life.last !== undefined) {
      this.#over(task, life, life.last);
    } else {
      task.phase = 'dropped';
      this.#close(life);
      this.#killUnstarted(task);
    }
  }

  /** The pod ends: what ends from now on is over. */
  endAll(): void {
    for (const life of this.#lives.values()) life.stopping = true;
  }

  #begin(life: AppLife, waits: boolean): void {
    const { name, notify } = life.app;
    const notices = notify
      ? new Notices(this.#pod.loop, (notice) => this.#notified(name, notice))
      : undefined;
    life.memoryKills = this.#pod.groups.memoryKills(name);
    life.outOfMemory = false;
    this.#pod.launch(life.order(monotonicMilliseconds(), waits, notices, this.#names), life.childs);
  }

  #notified(name: string, { state, status }: Notice): void {
    const task = this.#pod.tasks.get(name);
    // Its program runs, or it could not have said so: that is to be told first.
    task?.listen();
    if (task?.phase === 'running') this.#pod.host.send({ type: 'notify', id: name, state, status });
  }

  #rest(task: Task, life: AppLife, status: ExitStatus, { delayMs, count }: RestartHistory): void {
    task.phase = 'resting';
    life.last = status;
    this.#killAll(task);
    const { outOfMemory } = life;
    this.#pod.host.send({ type: 'restarting', id: task.id, status, outOfMemory, delayMs, count });
    life.timer = this.#pod.loop.after(delayMs, () => this.#begin(life, false));
  }

  #left(task: Task, life: AppLife, status: ExitStatus): void {
    const next = life.next(status, monotonicMilliseconds());
    if (next !== undefined) this.#rest(task, life, status, next);
    else this.#over(task, life, status);
  }

  #over(task: Task, life: AppLife, status: ExitStatus): void {
    task.phase = 'ended';
    this.#close(life);
    if (this.#pod.isMutable()) this.#killAll(task);
    this.#pod.host.send({ type: 'exited', id: task.id, status, outOfMemory: life.outOfMemory });
    if (endsPod(status)) this.#pod.failed();
  }

  /** What of an app goes on without its main process, where that is left alone, is not the last in a namespace. */
  #close(life: AppLife): void {
    life.over();
    if (this.#pod.isMutable() || !life.hasShares) life.keep(undefined);
  }

  /** It may not have come to its group yet; and it may have an event handler by now. */
  #killUnstarted(task: Task): void {
    task.signal('SIGKILL');
    this.#killAll(task);
  }

  #killAll(task: Task): void {
    if (this.#pod.groups.kill(task.id)) return;
    task.destroy();
    for (const other of this.#pod.tasks.besides(task)) other.destroy();
  }

  #lifeOf(task: Task): AppLife {
    const life = this.#lives.get(task.id);
    if (life === undefined) throw new Error(`app ${task.id} has no life`);
    return life;
  }
}
