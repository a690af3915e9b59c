import { setNonBlocking } from '../src/native/descriptors.ts';
import { close } from '../src/native/files.ts';
import type { Loop, Watch } from '../src/native/loop.ts';
import { bytesIn, openPipe } from '../src/native/pipes.ts';
import type { LogWriter } from '../src/supervisor/log-writer.ts';

/** An output of an app that nobody is behind: a pipe, emptied into the app's log. */
export class LoggedOutput {
  /** The app's end. */
  readonly write: number;
  readonly #read: number;
  readonly #watch: Watch;
  readonly #log: LogWriter;
  #isHeld = true;

  constructor(loop: Loop, log: LogWriter) {
    const pipe = openPipe();
    this.write = pipe.write;
    this.#read = pipe.read;
    this.#log = log;
    setNonBlocking(pipe.read, true);
    this.#watch = loop.watch(pipe.read, {
      readable: () => this.#take(),
      hangup: () => this.#watch.update({}),
    });
  }

  /** The app has its end; its last writer's end is the output's. */
  release(): void {
    if (this.#isHeld) close(this.write);
    this.#isHeld = false;
  }

  /** Of an app whose processes have all ended. */
  close(): void {
    this.release();
    this.#take();
    this.#watch.close();
    this.#log.close();
    close(this.#read);
  }

  #take(): void {
    if (bytesIn(this.#read) > 0) this.#log.take(this.#read);
  }
}
