import { utf8Decode } from '../../native/engine.ts';
import { SystemError } from '../../native/errors.ts';
import { close, readNow } from '../../native/files.ts';
import type { Loop, Watch } from '../../native/loop.ts';
import { printable } from '../printable.ts';
import { TextRing } from '../text-ring.ts';

const READ_BYTES = 4096;
const LINE_CHARACTERS = 4096;
/** More than a pipe holds. */
const READS_AT_ONCE = 64;

/** What a guest's console or a program's stderr says: its end is kept, and with `show` each line is shown as it comes. */
export class Messages {
  readonly #fd: number;
  readonly #watch: Watch;
  readonly #ring: TextRing;
  readonly #show: ((line: string) => void) | undefined;
  readonly #buffer = new Uint8Array(READ_BYTES);
  #line = '';
  #open = true;

  /** Takes the fd, which is non-blocking, over. */
  constructor(loop: Loop, fd: number, keepBytes: number, show: ((line: string) => void) | undefined) {
    this.#fd = fd;
    this.#ring = new TextRing(keepBytes);
    this.#show = show;
    this.#watch = loop.watch(fd, { readable: () => this.#read() });
  }

  lastLines(count: number): string[] {
    this.#drain();
    return this.#ring.lastLines(count);
  }

  /** Takes what is there before somebody asks for the last words. Not for ever: the program may still be talking. */
  #drain(): void {
    for (let reads = 0; reads < READS_AT_ONCE && this.#open && this.#read() > 0; reads++) {}
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#watch.close();
    close(this.#fd);
  }

  /** Bytes taken. */
  #read(): number {
    const read = this.#tryRead();
    if (read === undefined) return 0;
    if (read === 0) this.close();
    const bytes = this.#buffer.subarray(0, read);
    this.#ring.add(bytes);
    if (this.#show !== undefined) this.#showLines(utf8Decode(bytes), this.#show);
    return read;
  }

  #tryRead(): number | undefined {
    try {
      return readNow(this.#fd, this.#buffer);
    } catch (error) {
      if (error instanceof SystemError) return 0;
      throw error;
    }
  }

  #showLines(text: string, show: (line: string) => void): void {
    const lines = `${this.#line}${text}`.split('\n');
    this.#line = (lines.pop() ?? '').slice(-LINE_CHARACTERS);
    for (const line of lines.map(printable)) if (line !== '') show(line);
  }
}
