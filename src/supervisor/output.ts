/** Where the apps' output goes: as it is, or by lines where several apps share a terminal. */
import { monotonicMilliseconds } from '../native/clock.ts';
import type { Loop } from '../native/loop.ts';
import type { Completion } from './completion.ts';
import { isDetached } from './detached.ts';
import { endpoint, isTerminal, takesOutput } from './endpoints.ts';
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

  /** `writing` is told of what is under way. */
  constructor(
    private readonly loop: Loop,
    private readonly severalApps: boolean,
    private readonly writing: Completion,
  ) {}

  /** A new fd for an app's stdout; null where nobody would see it. */
  stdout(labels: Labels): number | null {
    return this.#sink(STDOUT, labels);
  }

  stderr(labels: Labels): number | null {
    return this.#sink(STDERR, labels);
  }

  #sink(fd: number, { app, pid }: Labels): number | null {
    if (isDetached() || !takesOutput(fd)) return null;
    const out = endpoint(fd, 'write');
    if (!this.severalApps || !isTerminal(fd)) return out;
    const label = () => lineLabel(monotonicMilliseconds() - this.#start, app, pid());
    return new LineRelay(this.loop, out, label, this.writing.begin()).input;
  }
}
