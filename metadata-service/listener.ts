/** A socket that takes connections, and no more than can be served. */
import { hasCode, SystemError } from '../src/native/errors.ts';
import { close } from '../src/native/files.ts';
import type { Loop } from '../src/native/loop.ts';
import { accept } from '../src/native/sockets.ts';
import { Connection, type Serving } from './connection.ts';

/** What of all callers together, and of one of them, is open at a time. A pod that opens more keeps no other from being served. */
const MOST_CONNECTIONS = 512;
const MOST_OF_ONE = 16;
/** Until the next try where the kernel has no more files or memory for us. */
const RETRY_MS = 100;

export interface Door extends Omit<Serving, 'closed'> {
  /** By what callers are told from each other; undefined for one who may not call. */
  readonly callerOf: (fd: number) => string | undefined;
}

export class Listener {
  readonly #open = new Map<string, number>();
  #total = 0;

  constructor(
    private readonly loop: Loop,
    private readonly fd: number,
    private readonly door: Door,
  ) {
    this.#listen();
  }

  #listen(): void {
    const watch = this.loop.watch(this.fd, {
      readable: () => {
        try {
          this.#accept();
        } catch (error) {
          if (!(error instanceof SystemError)) throw error;
          // Who has gone before he was let in.
          if (hasCode(error, 'ECONNABORTED', 'EPROTO')) return;
          watch.close();
          this.loop.after(RETRY_MS, () => this.#listen());
        }
      },
    });
  }

  #accept(): void {
    const fd = accept(this.fd, { nonBlocking: true });
    if (fd === undefined) return;
    const caller = this.#admitted(fd);
    if (caller === undefined) {
      close(fd);
      return;
    }
    this.#count(caller, 1);
    new Connection(this.loop, fd, { ...this.door, closed: () => this.#count(caller, -1) });
  }

  #admitted(fd: number): string | undefined {
    const caller = this.#total < MOST_CONNECTIONS ? this.#callerOf(fd) : undefined;
    return caller === undefined || (this.#open.get(caller) ?? 0) >= MOST_OF_ONE ? undefined : caller;
  }

  #callerOf(fd: number): string | undefined {
    try {
      return this.door.callerOf(fd);
    } catch (error) {
      if (hasCode(error, 'ENOTCONN')) return undefined;
      throw error;
    }
  }

  #count(caller: string, change: 1 | -1): void {
    const count = (this.#open.get(caller) ?? 0) + change;
    this.#total += change;
    if (count === 0) this.#open.delete(caller);
    else this.#open.set(caller, count);
  }
}
