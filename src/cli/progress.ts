import type { ImageEvent } from '../image/index.ts';
import { monotonic } from '../os/clock.ts';
import { advance, type ImageProgress, NO_PROGRESS } from './layer-progress.ts';
import { LiveLines, type Screen } from './live-lines.ts';
import { warn } from './output.ts';
import { barLines } from './progress-bars.ts';
import { downloadLines, remarksOn } from './progress-lines.ts';
import { isTerminal } from './terminal.ts';

const STDERR = 2;

/** Tells people on stderr what becomes of images. */
export interface Progress extends Disposable {
  report(event: ImageEvent): void;
  /** To be called before anything else is written: nothing is drawn any more until the next event. */
  clear(): void;
}

/** Bars at a terminal that can move its cursor, otherwise lines. With `debug`, all that happens is said in words as well. */
export function openProgress(debug: boolean): Progress {
  const { TERM } = process.env;
  return isTerminal(STDERR) && TERM !== 'dumb'
    ? new BarProgress(debug, process.stderr)
    : new LineProgress(debug);
}

class LineProgress implements Progress {
  readonly #debug: boolean;
  #image: ImageProgress = NO_PROGRESS;

  constructor(debug: boolean) {
    this.#debug = debug;
  }

  report(event: ImageEvent): void {
    const before = this.#image;
    this.#image = advance(before, event, monotonic());
    tell([...remarksOn(event, this.#debug), ...downloadLines(event, { before, after: this.#image })]);
  }

  clear(): void {}

  [Symbol.dispose](): void {}
}

/** Milliseconds between two drawings. */
const INTERVAL = 100;

class BarProgress implements Progress {
  readonly #debug: boolean;
  readonly #lines: LiveLines;
  #image: ImageProgress = NO_PROGRESS;
  #drawn = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(debug: boolean, screen: Screen) {
    this.#debug = debug;
    this.#lines = new LiveLines(screen);
    process.on('SIGTSTP', this.#stop);
  }

  report(event: ImageEvent): void {
    if (this.#ended) return;
    const remarks = remarksOn(event, this.#debug);
    if (remarks.length > 0) this.clear();
    tell(remarks);
    const now = monotonic();
    this.#image = advance(this.#image, event, now);
    // What runs after the last layer may replace this process: nothing may be left on the screen until then.
    if (this.#image.layers.size === 0) this.clear();
    else if (now - this.#drawn >= INTERVAL) this.#draw(now);
  }

  clear(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#lines.clear();
    this.#drawn = Number.NEGATIVE_INFINITY;
  }

  [Symbol.dispose](): void {
    this.#ended = true;
    this.clear();
    process.off('SIGTSTP', this.#stop);
  }

  #draw(now: number): void {
    this.#drawn = now;
    this.#lines.draw(barLines(this.#image.layers, this.#lines.size, now));
    // Goes on drawing while nothing is reported: rates fall, the window changes.
    this.#timer ??= setInterval(() => this.#draw(monotonic()), INTERVAL).unref();
  }

  // The shell gets its terminal back as it was; after SIGCONT the timer draws again.
  readonly #stop = (): void => {
    this.#lines.clear();
    process.kill(process.pid, 'SIGSTOP');
  };
}

function tell(lines: readonly string[]): void {
  for (const line of lines) warn('image', line);
}
