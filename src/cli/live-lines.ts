import type { WindowSize } from './progress-bars.ts';

/** What is needed of process.stderr at a terminal. */
export interface Screen {
  readonly columns: number;
  readonly rows: number;
  write(text: string): unknown;
}

const UP = (lines: number) => (lines === 0 ? '\r' : `\x1b[${lines}A\r`);
const ERASE_LINE = '\x1b[K';
const ERASE_BELOW = '\x1b[J';
const HIDE_CURSOR = '\x1b[?25l';
const SHOW_CURSOR = '\x1b[?25h';

/** Lines at the bottom of a terminal that are drawn again and again in one place. While there are any, the cursor is hidden. */
export class LiveLines {
  readonly #screen: Screen;
  #shown: readonly string[] = [];

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  /** A terminal that nobody has told its size says it has none. */
  get size(): WindowSize {
    return { columns: this.#screen.columns || 80, rows: this.#screen.rows || 24 };
  }

  /** In one write, so that nothing flickers. */
  draw(lines: readonly string[]): void {
    if (lines.length === 0) {
      this.clear();
      return;
    }
    const start = this.#shown.length === 0 ? HIDE_CURSOR : UP(this.#height);
    this.#screen.write(`${start}${lines.map((line) => `${line}${ERASE_LINE}\n`).join('')}${ERASE_BELOW}`);
    this.#shown = lines;
  }

  /** Leaves the terminal as if nothing had been drawn. */
  clear(): void {
    if (this.#shown.length === 0) return;
    this.#screen.write(`${UP(this.#height)}${ERASE_BELOW}${SHOW_CURSOR}`);
    this.#shown = [];
  }

  /** Rows from the first line to the cursor: in a window that has become narrower since, lines take more than one each. */
  get #height(): number {
    const { columns } = this.size;
    const rowsOf = (line: string) => Math.max(Math.ceil([...line].length / columns), 1);
    return this.#shown.reduce((rows, line) => rows + rowsOf(line), 0);
  }
}
