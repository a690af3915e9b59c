import { join } from 'node:path';
import { tryShared } from '../../../src/os/lock.ts';
import { PHASES, type Phase, stateOf } from '../../../src/pod/state.ts';
import type { RktHome } from '../rkt.ts';
import { podsIn } from './operations.ts';

/** A pod as the directories tell it, without a word of rkt's. */
export interface FoundPod {
  readonly uuid: string;
  readonly phase: Phase;
  readonly isLocked: boolean;
}

export function foundPods(rkt: RktHome): FoundPod[] {
  return PHASES.flatMap((phase) =>
    podsIn(rkt, phase).map((uuid) => ({
      uuid,
      phase,
      isLocked: isLocked(join(rkt.dir, 'pods', phase, uuid)),
    })),
  );
}

function isLocked(path: string): boolean {
  using lock = tryShared(path);
  return lock === undefined;
}

/** In which rows of the state table crashes have found pods. */
export class Histogram {
  readonly #free = new Map<Phase, number>();
  readonly #locked = new Map<Phase, number>();

  note(pods: readonly FoundPod[]): void {
    for (const { phase, isLocked } of pods) {
      const counts = isLocked ? this.#locked : this.#free;
      counts.set(phase, (counts.get(phase) ?? 0) + 1);
    }
  }

  /** The rows that were hit less often. */
  rowsBelow(least: number): Phase[] {
    return PHASES.filter((phase) => this.#count(phase) < least);
  }

  text(): string {
    const rows = PHASES.map((phase) => {
      const [free, locked] = [this.#free.get(phase) ?? 0, this.#locked.get(phase) ?? 0];
      const states = `${free} ${stateOf(phase, false)}, ${locked} ${stateOf(phase, true)} (another holds it)`;
      return `  ${phase.padEnd(14)} ${String(free + locked).padStart(4)}  ${'#'.repeat(free + locked)}  ${states}\n`;
    });
    return rows.join('');
  }

  #count(phase: Phase): number {
    return (this.#free.get(phase) ?? 0) + (this.#locked.get(phase) ?? 0);
  }
}
