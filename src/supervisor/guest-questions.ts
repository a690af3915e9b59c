import type { GuestMessage, HostMessage } from '../abi/guest.ts';
import type { AppStatistics, GuestStatistics } from '../abi/statistics.ts';
import type { Loop, Timer } from '../native/loop.ts';

export interface GuestAnswer {
  readonly apps: readonly AppStatistics[];
  readonly guest: GuestStatistics;
}

type Told = Extract<GuestMessage, { type: 'app-stats' | 'stats' }>;

/** Told the answer; undefined when there is none in time. */
type Asker = (answer: GuestAnswer | undefined) => void;

/** A guest that says more than that many apps has been taken over. */
const MOST_APPS = 4096;

/**
 * What the guest is asked about its use of things. There is one question at a time, however many ask: a guest that does not
 * answer has one to answer when it comes round, and whoever asks meanwhile gets that answer.
 */
export class GuestQuestions {
  readonly #loop: Loop;
  readonly #send: (message: HostMessage) => void;
  readonly #askers = new Set<{ readonly told: Asker; readonly patience: Timer }>();
  #last = 0;
  /** What has come of the answer; undefined while nothing is asked. */
  #apps: AppStatistics[] | undefined;

  constructor(loop: Loop, send: (message: HostMessage) => void) {
    this.#loop = loop;
    this.#send = send;
  }

  ask(milliseconds: number, told: Asker): void {
    const patience = this.#loop.after(milliseconds, () => {
      this.#askers.delete(asker);
      told(undefined);
    });
    const asker = { told, patience };
    this.#askers.add(asker);
    if (this.#apps !== undefined) return;
    this.#apps = [];
    this.#send({ type: 'stats', request: ++this.#last });
  }

  /** False for an answer to no question of ours. */
  take(message: Told): boolean {
    const apps = this.#apps;
    if (apps === undefined || message.request !== this.#last) return false;
    if (message.type === 'app-stats') {
      apps.push(...message.apps);
      return apps.length <= MOST_APPS;
    }
    this.#apps = undefined;
    const { type: _, request: __, ...guest } = message;
    this.#tell({ apps, guest });
    return true;
  }

  /** There will be no answer. */
  close(): void {
    this.#tell(undefined);
  }

  #tell(answer: GuestAnswer | undefined): void {
    const askers = [...this.#askers];
    this.#askers.clear();
    for (const { told, patience } of askers) {
      patience.cancel();
      told(answer);
    }
  }
}
