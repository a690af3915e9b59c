import { ImageError } from '../error.ts';
import type { ImageEvent } from '../event.ts';
import type { Clock } from './clock.ts';
import type { Endpoint } from './endpoint.ts';
import { MOST_TRIES, persist } from './patience.ts';

export interface PlacesOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal | undefined;
  readonly report: ((event: ImageEvent) => void) | undefined;
}

export interface Question<T> {
  /** What is asked for, in messages. */
  readonly what: string;
  readonly signal: AbortSignal | undefined;
  /** Whether a broken connection is tried again here, or by whoever knows how much has come already. */
  readonly reconnect: boolean;
  readonly ask: (place: Endpoint, signal: AbortSignal | undefined) => Promise<T>;
}

/** Where a repository is: on mirrors, which may fail, and in its registry, which is asked patiently. */
export class Places {
  readonly #mirrors: Set<Endpoint>;
  readonly #registry: Endpoint;
  readonly #options: PlacesOptions;
  /** Mirrors whose answers were taken. */
  readonly #believed = new Set<Endpoint>();

  constructor(mirrors: readonly Endpoint[], registry: Endpoint, options: PlacesOptions) {
    this.#mirrors = new Set(mirrors);
    this.#registry = registry;
    this.#options = options;
  }

  /** The first answer. @throws ImageError the registry's, whatever the mirrors said */
  async ask<T>({ what, reconnect, ask, ...question }: Question<T>): Promise<T> {
    const signal = either(question.signal, this.#options.signal);
    for (const mirror of [...this.#mirrors]) {
      signal?.throwIfAborted();
      try {
        const answer = await ask(mirror, signal);
        this.#believed.add(mirror);
        return answer;
      } catch (error) {
        if (!(error instanceof ImageError)) throw error;
        this.passOver(mirror, error);
      }
    }
    const patience = { ...this.#options, signal, tries: MOST_TRIES, reconnect };
    return persist(what, () => ask(this.#registry, signal), patience);
  }

  /** Asks no mirror any more that has answered: what came was wrong. False: it did not come from a mirror. */
  leaveMirrors(error: Error): boolean {
    const answered = [...this.#believed];
    this.#believed.clear();
    // One that has been passed over since then may have sent it all the same.
    for (const mirror of answered) if (this.#mirrors.delete(mirror)) this.#report(mirror, error);
    return answered.length > 0;
  }

  /** A mirror that has failed is not asked again, unless it only lacks something. The registry itself is never left out. */
  passOver(place: Endpoint, error: ImageError): void {
    if (!this.#mirrors.has(place)) return;
    if (error.code !== 'not-found') this.#mirrors.delete(place);
    this.#report(place, error);
  }

  #report({ host }: Endpoint, { message }: Error): void {
    this.#options.report?.({ kind: 'passed-over', what: `mirror ${host}`, reason: message });
  }
}

function either(one: AbortSignal | undefined, other: AbortSignal | undefined): AbortSignal | undefined {
  return one === undefined || other === undefined ? (one ?? other) : AbortSignal.any([one, other]);
}
