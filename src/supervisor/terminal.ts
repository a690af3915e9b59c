import { unless } from '../native/errors.ts';
import type { Loop, Watch } from '../native/loop.ts';
import { rawMode, setTerminalMode, type TerminalMode, terminalMode, windowSize } from '../native/ptys.ts';

export interface Window {
  readonly rows: number;
  readonly columns: number;
}

/** The caller's terminal, handed to an app: every key as it is typed. Closed, it is as it was. */
export class RawTerminal {
  readonly #fd: number;
  readonly #before: TerminalMode;
  #resizes: Watch | undefined;

  private constructor(fd: number, before: TerminalMode) {
    this.#fd = fd;
    this.#before = before;
  }

  /** Undefined where the fd is no terminal. */
  static open(fd: number): RawTerminal | undefined {
    const before = terminalMode(fd);
    if (before === undefined) return undefined;
    setTerminalMode(fd, rawMode(before));
    return new RawTerminal(fd, before);
  }

  /** Zero in both where the terminal does not know. */
  get window(): Window {
    return windowSize(this.#fd) ?? { rows: 0, columns: 0 };
  }

  onResize(loop: Loop, resized: (window: Window) => void): void {
    this.#resizes ??= loop.onSignals(['SIGWINCH'], () => resized(this.window));
  }

  close(): void {
    this.#resizes?.close();
    this.#resizes = undefined;
    // The terminal itself may be gone by now.
    unless(['EIO', 'ENXIO', 'EBADF'], () => setTerminalMode(this.#fd, this.#before));
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
