import type { Task, TaskPhase } from './task.ts';

/** The processes of the plan that PID 1 knows: apps for good, others until they are reaped. */
export class TaskTable {
  readonly #byId = new Map<string, Task>();

  add(task: Task): void {
    this.#byId.set(task.id, task);
  }

  get(id: string): Task | undefined {
    return this.#byId.get(id);
  }

  /** To the process of one that runs. */
  signal(id: string, signal: number): void {
    const task = this.#byId.get(id);
    if (task?.phase === 'running') task.signal(signal);
  }

  /** The task whose process this is; undefined for adopted orphans. */
  ofProcess(pid: number): Task | undefined {
    return this.all().find((task) => task.pid === pid && !task.reaped);
  }

  /** Its pid may be another's from now on. */
  reaped(task: Task): void {
    task.reaped = true;
    if (task.kind !== 'app' && this.#byId.get(task.id) === task) this.#byId.delete(task.id);
  }

  all(): readonly Task[] {
    return [...this.#byId.values()];
  }

  apps(): readonly Task[] {
    return this.all().filter(({ kind }) => kind === 'app');
  }

  /** An app that is over and will not come back. */
  remove(app: string): void {
    this.#byId.delete(app);
  }

  /** Exec sessions of an app, and its event handler. */
  besides(app: Task): readonly Task[] {
    return this.all().filter(({ dwelling }) => {
      if (dwelling.kind === 'handler') return dwelling.app === app.id;
      return dwelling.kind === 'session' && dwelling.of === app.pid;
    });
  }

  phasesOfApps(): readonly TaskPhase[] {
    return this.apps().map(({ phase }) => phase);
  }
}
