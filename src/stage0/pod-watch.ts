import type { FSWatcher } from 'node:fs';
import { join } from 'node:path';
import { AppcError, type PodUUID, podUUID } from '../appc/index.ts';
import { PodError } from '../pod/errors.ts';
import { listPods } from '../pod/listing.ts';
import { currentState } from '../pod/observation.ts';
import { PHASES, type Phase } from '../pod/state.ts';
import { lastNews, news, type PodEvent, type Sight } from './pod-event.ts';
import { tryWatch, WatchedPod } from './watched-pod.ts';

/** The kernel tells of files, not of locks: whether a pod still runs is asked for. */
const POLL_MILLISECONDS = 200;
/** Where the kernel tells of nothing: no command moves a pod twice in so short a time. */
const BLIND_POLL_MILLISECONDS = 50;
/** What the kernel still has to tell of a pod that is gone comes within this. */
const FORGET_MILLISECONDS = 10_000;

/** All pods of a host from now on: what happens to them is reported, also to those that come and go between two looks. */
export class PodWatch implements Disposable {
  readonly #pods: string;
  readonly #report: (event: PodEvent) => void;
  readonly #fail: (error: unknown) => void;
  readonly #known = new Map<PodUUID, WatchedPod>();
  readonly #gone = new Map<PodUUID, number>();
  readonly #pending = new Set<PodUUID>();
  readonly #watchers = new Map<Phase, FSWatcher>();
  #timer: NodeJS.Timeout | undefined;

  constructor(pods: string, report: (event: PodEvent) => void, fail: (error: unknown) => void) {
    this.#pods = pods;
    this.#report = report;
    this.#fail = fail;
    // First the watches: what moves while the pods are read is told of, and looked at again.
    this.#watchPhases();
    for (const { uuid } of listPods(pods)) {
      const pod = this.#join(uuid);
      pod.sight = sightOf(pod);
    }
    this.#pollLater();
  }

  /** The kernel has no watches left for us, or the directories are not there: looking is all there is. */
  get isBlind(): boolean {
    return this.#watchers.size < PHASES.length;
  }

  #pollLater(): void {
    const milliseconds = this.isBlind ? BLIND_POLL_MILLISECONDS : POLL_MILLISECONDS;
    this.#timer = setTimeout(() => {
      // Before the look, which may end all this.
      this.#pollLater();
      this.#guarded(() => this.#poll());
    }, milliseconds);
  }

  #watchPhases(): void {
    for (const phase of PHASES) {
      if (this.#watchers.has(phase)) continue;
      const watcher = tryWatch(join(this.#pods, phase), (name) => this.#moved(phase, name));
      if (watcher !== undefined) this.#watchers.set(phase, watcher);
    }
  }

  /** Into a phase, or out of it: it has been there. */
  #moved(phase: Phase, name: string | null): void {
    if (name === null || !podUUID.is(name) || this.#gone.has(name)) return;
    this.#join(name).passed.add(phase);
    this.#soon(name);
  }

  #join(uuid: PodUUID): WatchedPod {
    const known = this.#known.get(uuid);
    if (known !== undefined) return known;
    const pod = new WatchedPod(this.#pods, uuid, () => this.#soon(uuid));
    this.#known.set(uuid, pod);
    return pod;
  }

  /** Many files change at once: the pod is looked at once for all that has been told by then. */
  #soon(uuid: PodUUID): void {
    if (this.#pending.size === 0) setImmediate(() => this.#guarded(() => this.#flush()));
    this.#pending.add(uuid);
  }

  #flush(): void {
    const pending = [...this.#pending];
    this.#pending.clear();
    for (const uuid of pending) {
      const pod = this.#known.get(uuid);
      if (pod !== undefined) this.#look(pod);
    }
  }

  #look(pod: WatchedPod): void {
    const noticed = now();
    const sight = sightOf(pod);
    if (sight !== undefined) {
      const events = news(pod.sight, sight, noticed);
      pod.sight = sight;
      events.forEach(this.#report);
    } else if (!pod.isThere()) this.#lose(pod, noticed);
  }

  #lose(pod: WatchedPod, noticed: bigint): void {
    const { uuid, sight, passed, exitCode } = pod;
    this.#known.delete(uuid);
    this.#gone.set(uuid, performance.now());
    pod[Symbol.dispose]();
    // One whose making was not noticed was there before us, and went before it was looked at.
    if (sight !== undefined || passed.has('prepare'))
      lastNews(sight, uuid, { passed, exitCode }, noticed).forEach(this.#report);
  }

  #poll(): void {
    this.#watchPhases();
    const found = new Map(listPods(this.#pods).map((pod) => [pod.uuid, pod]));
    for (const [uuid, reference] of found) {
      const pod = this.#join(uuid);
      const isNews = pod.sight?.record.state !== currentState(reference);
      const isBlind = reference.phase === 'run' && !pod.isWatched;
      if (isNews || isBlind) this.#look(pod);
    }
    for (const pod of [...this.#known.values()]) if (!found.has(pod.uuid)) this.#look(pod);
    for (const [uuid, since] of this.#gone)
      if (performance.now() - since > FORGET_MILLISECONDS) this.#gone.delete(uuid);
  }

  #guarded(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#fail(error);
    }
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    for (const watcher of this.#watchers.values()) watcher.close();
    for (const pod of this.#known.values()) pod[Symbol.dispose]();
  }
}

/** One whose manifest cannot be read is passed over: `list` says what is wrong with it. */
function sightOf(pod: WatchedPod): Sight | undefined {
  try {
    return pod.look();
  } catch (error) {
    if (error instanceof AppcError || error instanceof PodError) return undefined;
    throw error;
  }
}

function now(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}
