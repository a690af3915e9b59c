import { LiveLines, type Screen } from './live-lines.ts';

const TAB_WIDTH = 8;

/** A text that is shown in place of the one before, as much of it as the terminal has room for; the last one stays. */
export class LiveTable implements Disposable {
  readonly #lines: LiveLines;
  #text = '';

  constructor(screen: Screen) {
    this.#lines = new LiveLines(screen);
    this.#screen = screen;
  }

  readonly #screen: Screen;

  show(text: string): void {
    const { columns, rows } = this.#lines.size;
    const lines = text.trimEnd().split('\n');
    // In the last row a line end would scroll.
    this.#lines.draw(lines.slice(0, Math.max(1, rows - 1)).map((line) => expanded(line).slice(0, columns)));
    this.#text = text;
  }

  [Symbol.dispose](): void {
    this.#lines.clear();
    this.#screen.write(this.#text);
  }
}

/** A line's width must be known: TABs become the spaces that they stand for. */
function expanded(line: string): string {
  return line
    .split('\t')
    .reduce((done, cell, index) =>
      index === 0 ? cell : done.padEnd((Math.floor(done.length / TAB_WIDTH) + 1) * TAB_WIDTH) + cell,
    );
}
