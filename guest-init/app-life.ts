import type { AppPlan, SharePlan } from '../src/abi/boot-plan.ts';
import type { ExitStatus } from '../src/abi/guest.ts';
import type { Timer } from '../src/native/loop.ts';
import type { Notices } from './notices.ts';
import { NO_HISTORY, nextRestart, type RestartHistory } from './restarts.ts';
import { type ChildStreams, closeChildStreams } from './streams.ts';
import type { TaskOrder } from './task.ts';

/** An app from its first start to its last end, however many main processes that takes. */
export class AppLife {
  readonly app: AppPlan;
  /** What the app's processes get as standard streams: the host sees no end of them as long as we have them, too. */
  readonly childs: ChildStreams;
  readonly #shares: readonly SharePlan[];
  readonly #leave: (namespace: number) => void;
  #history: RestartHistory = NO_HISTORY;
  #since = 0;
  #holds = true;
  /** How the last process ended, while its handler runs or the next one is waited for. */
  last: ExitStatus | undefined;
  /** Of its present main process, where that has such. */
  notices: Notices | undefined;
  /** The mount namespace of its last main process: what is left of it is wanted when it has ended. */
  #namespace: number | undefined;
  /** The end of the rest, or of the grace. */
  timer: Timer | undefined;
  /** Of its processes, before the present one, because memory was wanting. */
  memoryKills = 0;
  /** Its last process has ended so, or others of the app did. */
  outOfMemory = false;
  /** It was asked to end: nothing follows. */
  stopping = false;

  /** `leave` is handed each of its mount namespaces when that is not needed any more. */
  constructor(
    app: AppPlan,
    shares: readonly SharePlan[],
    childs: ChildStreams,
    leave: (namespace: number) => void,
  ) {
    this.app = app;
    this.#shares = shares;
    this.#leave = leave;
    this.childs = childs;
  }

  get restarts(): number {
    return this.#history.count;
  }

  /** A terminal goes with the root that it was opened in. */
  get mayRestart(): boolean {
    return this.app.restart.policy !== 'no' && this.childs.kind === 'pipes';
  }

  /** The order for its next main process. What it says of itself is heard by `notices`, which are ours from now on. */
  order(now: number, waits: boolean, notices: Notices | undefined, names: string): TaskOrder {
    const { app } = this;
    this.#since = now;
    this.notices = notices;
    const dwelling = { kind: 'app', app, shares: this.#shares, notices: notices?.fd, names } as const;
    return { id: app.name, dwelling, process: app.process, streams: app.streams, waits };
  }

  /** After an end that was not asked for: the restart that follows, if one does. */
  next(status: ExitStatus, now: number): RestartHistory | undefined {
    if (this.stopping || !this.mayRestart) return undefined;
    const next = nextRestart(this.app.restart, this.#history, status, now - this.#since);
    if (next !== undefined) this.#history = next;
    return next;
  }

  get hasShares(): boolean {
    return this.#shares.length > 0;
  }

  get namespace(): number | undefined {
    return this.#namespace;
  }

  keep(namespace: number | undefined): void {
    if (this.#namespace !== undefined) this.#leave(this.#namespace);
    this.#namespace = namespace;
  }

  /** No process after the present one needs the streams. */
  get isLast(): boolean {
    return !this.mayRestart && this.app.handlers.postStop === null;
  }

  /** No further process will need the streams. */
  release(): void {
    if (this.#holds) closeChildStreams(this.childs);
    this.#holds = false;
  }

  over(): void {
    this.release();
    this.notices?.close();
    this.timer?.cancel();
    this.timer = undefined;
  }
}
