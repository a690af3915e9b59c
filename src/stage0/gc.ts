import { availableParallelism } from 'node:os';
import { type PodReference, podsDirectory } from '../pod/directory.ts';
import { listPods } from '../pod/listing.ts';
import { observe } from '../pod/observation.ts';
import { own, type Pod, syncMoves } from '../pod/pod.ts';
import { syncRemovals } from '../pod/removal.ts';
import type { Phase } from '../pod/state.ts';
import { deleteUnsynced } from './deletion.ts';
import type { Host } from './host.ts';
import { garbageOf } from './rm.ts';

export interface GcRequest {
  /** How long an exited pod is kept, from when it was marked. Milliseconds. */
  readonly gracePeriod: number;
  /** How long a prepared pod may wait to be run. Milliseconds. */
  readonly expirePrepared: number;
  /** Only mark what has ended. */
  readonly markOnly: boolean;
}

export type GcEvent =
  | { readonly kind: 'marked'; readonly uuid: string }
  | { readonly kind: 'collecting'; readonly uuid: string }
  | { readonly kind: 'within-grace'; readonly uuid: string }
  | { readonly kind: 'failed'; readonly uuid: string; readonly error: unknown };

/**
 * Collects what pods have left, in rkt's order: mark the exited and the aborted, then the prepared that nobody ran, then remove
 * what was marked long enough ago. A pod that somebody holds is passed over; one that fails does not stop the others.
 */
export async function gc(host: Host, request: GcRequest, report: (event: GcEvent) => void): Promise<void> {
  const collector = new Collector(host, report);
  await collector.mark('run', () => true);
  await collector.mark('prepare', () => true);
  await collector.mark('embryo', () => true);
  if (request.markOnly) return;
  await collector.mark('prepared', (pod) => isOlder(pod, request.expirePrepared));
  await collector.collect('exited-garbage', request.gracePeriod);
  await collector.collect('garbage', 0);
}

class Collector {
  readonly #pods: string;

  constructor(
    readonly host: Host,
    readonly report: (event: GcEvent) => void,
  ) {
    this.#pods = podsDirectory(host.dataDirectory);
  }

  async mark(phase: Phase, isDue: (pod: PodReference) => boolean): Promise<void> {
    const garbage = garbageOf(phase);
    if (garbage === undefined) return;
    const wereSome = await this.#each(phase, isDue, async (pod) => {
      if (pod.phase !== phase) return;
      this.report({ kind: 'marked', uuid: pod.uuid });
      pod.moveUnsynced(garbage);
    });
    // Once for all: a disk takes longer for it than all else takes.
    if (wereSome) syncMoves(this.#pods, phase, garbage);
  }

  async collect(phase: Phase, gracePeriod: number): Promise<void> {
    const isDue = (pod: PodReference) => {
      const due = isOlder(pod, gracePeriod);
      if (!due) this.report({ kind: 'within-grace', uuid: pod.uuid });
      return due;
    };
    const wereSome = await this.#each(phase, isDue, async (pod) => {
      this.report({ kind: 'collecting', uuid: pod.uuid });
      await deleteUnsynced(this.host, pod);
    });
    if (wereSome) syncRemovals(this.#pods, phase);
  }

  /** Whether there were any that are due. */
  async #each(
    phase: Phase,
    isDue: (pod: PodReference) => boolean,
    act: (pod: Pod) => Promise<void>,
  ): Promise<boolean> {
    const queue = listPods(this.#pods, [phase]).filter(isDue);
    if (queue.length === 0) return false;
    const workers = Array.from({ length: availableParallelism() }, async () => {
      for (let found = queue.shift(); found !== undefined; found = queue.shift()) await this.#one(found, act);
    });
    await Promise.all(workers);
    return true;
  }

  async #one(found: PodReference, act: (pod: Pod) => Promise<void>): Promise<void> {
    try {
      const ownership = await own(found);
      if (ownership.kind !== 'owned') return;
      using pod = ownership.pod;
      await act(pod);
    } catch (error) {
      this.report({ kind: 'failed', uuid: found.uuid, error });
    }
  }
}

/** Whether the pod has been in its phase for that long: its directory's change time is that of the move. */
function isOlder(reference: PodReference, milliseconds: number): boolean {
  using pod = observe(reference);
  if (pod === undefined) return false;
  return Number(pod.marked() / 1_000_000n) + milliseconds <= Date.now();
}
