import type { ImageEvent } from '../image/index.ts';

const PERCENT = 100;
/** Redrawn so often at most, in milliseconds. */
const INTERVAL = 100;

/** Tells people on stderr what becomes of images: a line that is redrawn on a terminal, lines with `--debug`. */
export function imageReporter(debug: boolean): (event: ImageEvent) => void {
  const line = process.stderr.isTTY === true && !debug ? new StatusLine() : undefined;
  return (event) => {
    switch (event.kind) {
      case 'layer-progress':
        line?.draw(`importing ${event.layer}${share(event.read, event.total)}`);
        return;
      case 'image-imported':
        line?.clear();
        if (debug) tell(`imported ${event.source} as ${event.id} in ${Math.round(event.milliseconds)} ms`);
        return;
      case 'image-import':
        if (debug) tell(`using image from file ${event.source}`);
        return;
      case 'image-found':
        if (debug) tell(`using image from local store for image name ${event.source}`);
        return;
      default:
        event satisfies never;
    }
  };
}

function tell(text: string): void {
  process.stderr.write(`image: ${text}\n`);
}

function share(read: number, total: number | undefined): string {
  return total === undefined || total === 0 ? '' : ` ${Math.floor((read / total) * PERCENT)}%`;
}

class StatusLine {
  #drawn = 0;
  #isVisible = false;

  draw(text: string): void {
    const now = performance.now();
    if (this.#isVisible && now - this.#drawn < INTERVAL) return;
    this.#drawn = now;
    this.#isVisible = true;
    process.stderr.write(`\r\x1b[K${text.slice(0, (process.stderr.columns ?? 80) - 1)}`);
  }

  clear(): void {
    if (this.#isVisible) process.stderr.write('\r\x1b[K');
    this.#isVisible = false;
  }
}
