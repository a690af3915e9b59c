import type { Screen } from '../../../src/cli/live-lines.ts';

/** As much of a terminal as is needed to see what a program has drawn; one that wraps its lines anew when it is resized. */
export class TerminalScreen implements Screen {
  columns: number;
  readonly rows: number;
  cursorVisible = true;
  /** Logical lines: what wraps is still one. The cursor is in one of them, at a column that may be beyond the window's. */
  #lines: string[] = [''];
  #row = 0;
  #column = 0;

  constructor(columns: number, rows: number) {
    this.columns = columns;
    this.rows = rows;
  }

  /** The lines as they are shown, without empty ones at the end. */
  get text(): string[] {
    const shown = this.#lines.flatMap((line) => wrapped(line, this.columns)).slice(-this.rows);
    while (shown.at(-1) === '') shown.pop();
    return shown.map((line) => line.trimEnd());
  }

  resize(columns: number): void {
    this.columns = columns;
  }

  write(text: string): boolean {
    for (const [token] of text.matchAll(/\x1b\[\??\d*[A-Za-z]|[\s\S]/g)) this.#take(token);
    return true;
  }

  #take(token: string): void {
    const up = /^\x1b\[(\d+)A$/.exec(token)?.[1];
    if (up !== undefined) this.#up(Number(up));
    else if (token === '\r') this.#column = 0;
    else if (token === '\n') this.#newLine();
    else if (token === '\x1b[K') this.#replace((line) => line.slice(0, this.#column));
    else if (token === '\x1b[J') this.#eraseBelow();
    else if (token === '\x1b[?25l') this.cursorVisible = false;
    else if (token === '\x1b[?25h') this.cursorVisible = true;
    else if (token.startsWith('\x1b')) throw new Error(`not understood: ${JSON.stringify(token)}`);
    else {
      const at = this.#column++;
      this.#replace((line) => `${line.padEnd(at).slice(0, at)}${token}${line.slice(at + 1)}`);
    }
  }

  /** Over rows of the window, of which a long line has several. */
  #up(rows: number): void {
    for (let left = rows; left > 0 && this.#row > 0; ) {
      this.#row -= 1;
      left -= wrapped(this.#lines[this.#row] ?? '', this.columns).length;
      if (left < 0) throw new Error('the cursor would stand in the middle of a wrapped line');
    }
  }

  #newLine(): void {
    this.#row += 1;
    this.#column = 0;
    this.#lines[this.#row] ??= '';
  }

  #eraseBelow(): void {
    this.#replace((line) => line.slice(0, this.#column));
    this.#lines = this.#lines.slice(0, this.#row + 1);
  }

  #replace(edit: (line: string) => string): void {
    this.#lines[this.#row] = edit(this.#lines[this.#row] ?? '');
  }
}

function wrapped(line: string, columns: number): string[] {
  const parts: string[] = [];
  for (let at = 0; at < Math.max(line.length, 1); at += columns) parts.push(line.slice(at, at + columns));
  return parts;
}
