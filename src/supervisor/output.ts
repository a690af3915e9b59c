/** Where the apps' output goes: as it is, or by lines where several apps share a terminal. */
import { monotonicMilliseconds } from '../native/clock.ts';
import type { Loop } from '../native/loop.ts';
import { endpoint, isOpen, isTerminal } from './endpoints.ts';
import { lineLabel } from './line-prefix.ts';
import { LineRelay } from './line-relay.ts';

const STDOUT = 1;
const STDERR = 2;

export interface Labels {
  readonly app: string;
  /** As soon as it is known. */
  pid(): number | undefined;
}

export class Output {
  readonly #start = monotonicMilliseconds();
  #relays = 0;
  #waiting: (() => void)[] = [];

  constructor(
    private readonly loop: Loop,
    private readonly severalApps: boolean,
  ) {}

  stdout(labels: Labels): number | null {
    return this.#sink(STDOUT, labels);
  }

  stderr(labels: Labels): number | null {
    return this.#sink(STDERR, labels);
  }

  /** Calls back once all lines have been written. */
  whenWritten(callback: () => void): void {
    if (this.#relays === 0) callback();
    else this.#waiting.push(callback);
  }

  #sink(fd: number, { app, pid }: Labels): number | null {
    if (!isOpen(fd)) return null;
    const out = endpoint(fd, 'write');
    if (!this.severalApps || !isTerminal(fd)) return out;
    this.#relays++;
    const label = () => lineLabel(monotonicMilliseconds() - this.#start, app, pid());
    return new LineRelay(this.loop, out, label, () => this.#relayEnded()).input;
  }

  #relayEnded(): void {
    if (--this.#relays > 0) return;
    for (const callback of this.#waiting.splice(0)) callback();
  }
}
