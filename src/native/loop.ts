/**
 * The event loop: epoll, level triggered. Callbacks run one at a time; after each, the promise jobs that it
 * made ready run too. A callback may watch, change and unwatch anything, itself included.
 */
import { Packer } from './bytes.ts';
import { monotonicMilliseconds } from './clock.ts';
import { settle } from './engine.ts';
import { close } from './files.ts';
import { type ChildExit, openProcess, reap } from './processes.ts';
import {
  maskSignals,
  openSignals,
  readSignal,
  type Signal,
  type SignalInfo,
  setDisposition,
} from './signals.ts';
import { attempt, call, checked, once } from './syscall.ts';
import { Timers } from './timers.ts';

export interface Handlers {
  /** There are bytes, or there is an end to read. */
  readonly readable?: (() => void) | undefined;
  /** There is room; or, without `hangup`, an error that a write would find. */
  readonly writable?: (() => void) | undefined;
  /** The other side is gone and nothing is left to read. */
  readonly hangup?: (() => void) | undefined;
}

export interface Watch {
  /** Puts other handlers in place. With none the fd is left alone, even if it hangs up, until there are some. */
  update(handlers: Handlers): void;
  /** Before the fd itself is closed. May be called again. */
  close(): void;
}

export interface Timer {
  cancel(): void;
}

const EPOLLIN = 1;
const EPOLLOUT = 4;
const EPOLLERR = 8;
const EPOLLHUP = 0x10;
const ADD = 1;
const REMOVE = 2;
const CHANGE = 3;
const EPERM = -1;
const EINTR = -4;
const EPOLL_CLOEXEC = 0o2000000;
/** struct epoll_event is packed on x86-64 alone. */
const EVENT_BYTES = 12;
const TOKEN_AT = 4;
const BATCH = 64;

interface Entry {
  readonly fd: number;
  readonly token: number;
  handlers: Handlers;
  /** What epoll was told; undefined when it does not have the fd. */
  mask: number | undefined;
}

export class Loop {
  readonly #epoll: number;
  readonly #entries = new Map<number, Entry>();
  /** epoll refuses regular files: they are always ready. */
  readonly #alwaysReady = new Set<Entry>();
  readonly #timers = new Timers();
  readonly #events = new Uint8Array(EVENT_BYTES * BATCH);
  readonly #view = new DataView(this.#events.buffer);
  #nextToken = 1;
  #exit: number | undefined;

  constructor() {
    this.#epoll = call('epoll_create1', EPOLL_CLOEXEC);
    // Whoever reads our output may go away; the write that notices says so.
    setDisposition('SIGPIPE', 'ignore');
  }

  watch(fd: number, handlers: Handlers): Watch {
    // Events carry a token, not the fd: one that is already fetched must not reach the fd's next life.
    const entry: Entry = { fd, token: this.#nextToken++, handlers: {}, mask: undefined };
    this.#entries.set(entry.token, entry);
    this.#change(entry, handlers);
    return {
      update: (changed) => {
        if (this.#entries.has(entry.token)) this.#change(entry, changed);
      },
      close: () => {
        if (this.#entries.delete(entry.token)) this.#change(entry, {});
      },
    };
  }

  /** Once, after so many milliseconds. */
  after(milliseconds: number, callback: () => void): Timer {
    return this.#timers.add(monotonicMilliseconds() + milliseconds, callback);
  }

  /** Blocks the signals for good and reports each one that arrives. */
  onSignals(which: readonly Signal[], callback: (info: SignalInfo) => void): Watch {
    maskSignals('block', which);
    const fd = openSignals(which);
    return this.#owning(fd, {
      readable: () => {
        for (let info = readSignal(fd); info !== undefined; info = readSignal(fd)) callback(info);
      },
    });
  }

  /** When this child ends; it is reaped. Not beside `onChildren`. */
  onExit(pid: number, callback: (child: ChildExit) => void): Watch {
    const fd = openProcess(pid);
    const watch = this.#owning(fd, {
      readable: () => {
        const child = reap(pid);
        if (child === undefined) return;
        watch.close();
        callback(child);
      },
    });
    return watch;
  }

  /** When any child ends, adopted orphans included; each is reaped. */
  onChildren(callback: (child: ChildExit) => void): Watch {
    const reapAll = () => {
      for (let child = reap(); child !== undefined; child = reap()) callback(child);
    };
    const watch = this.onSignals(['SIGCHLD'], reapAll);
    // A child may have ended before the signal was blocked.
    this.after(0, reapAll);
    return watch;
  }

  /** Until `stop`, whose code it returns, or until there is nothing left to wait for. */
  run(): number {
    this.#exit = undefined;
    settle();
    while (this.#exit === undefined && (this.#entries.size > 0 || this.#timers.next() !== undefined)) {
      this.#turn();
    }
    return this.#exit ?? 0;
  }

  stop(code = 0): void {
    this.#exit ??= code;
  }

  [Symbol.dispose](): void {
    close(this.#epoll);
  }

  #turn(): void {
    const count = once('epoll_pwait', this.#epoll, this.#events, BATCH, this.#timeout(), null, 8);
    if (count !== EINTR) checked('epoll_pwait', count);
    for (let n = 0; n < count && this.#exit === undefined; n++) {
      const happened = this.#view.getUint32(n * EVENT_BYTES, true);
      const entry = this.#entries.get(this.#view.getUint32(n * EVENT_BYTES + TOKEN_AT, true));
      if (entry !== undefined) this.#dispatch(entry, happened);
    }
    if (this.#alwaysReady.size > 0) {
      for (const entry of [...this.#alwaysReady]) {
        if (this.#exit === undefined) this.#dispatch(entry, EPOLLIN | EPOLLOUT);
      }
    }
    if (this.#exit === undefined && this.#timers.next() !== undefined) this.#callDue();
  }

  #callDue(): void {
    for (const callback of this.#timers.due(monotonicMilliseconds())) {
      this.#invoke(callback);
      // What is due after it is due in the next run.
      if (this.#exit !== undefined) return;
    }
  }

  #timeout(): number {
    if (this.#alwaysReady.size > 0) return 0;
    const next = this.#timers.next();
    if (next === undefined) return -1;
    return Math.max(0, Math.min(Math.ceil(next - monotonicMilliseconds()), 0x7fffffff));
  }

  /** An end or an error always reaches somebody: epoll would report it for ever. */
  #dispatch(entry: Entry, happened: number): void {
    const gone = (happened & (EPOLLHUP | EPOLLERR)) !== 0;
    const { hangup } = entry.handlers;
    if (happened & EPOLLIN || (gone && hangup === undefined)) this.#invoke(entry.handlers.readable);
    if (happened & EPOLLOUT || (gone && hangup === undefined)) this.#invoke(entry.handlers.writable);
    if (gone && !(happened & EPOLLIN && entry.handlers.readable !== undefined)) this.#invoke(hangup);
  }

  #invoke(callback: (() => void) | undefined): void {
    if (callback === undefined) return;
    callback();
    settle();
  }

  #owning(fd: number, handlers: Handlers): Watch {
    const watch = this.watch(fd, handlers);
    let open = true;
    return {
      update: watch.update,
      close: () => {
        watch.close();
        if (open) close(fd);
        open = false;
      },
    };
  }

  #change(entry: Entry, handlers: Handlers): void {
    entry.handlers = handlers;
    const mask = wanted(handlers);
    if (this.#alwaysReady.has(entry)) {
      if (mask === undefined) this.#alwaysReady.delete(entry);
    } else if (mask !== entry.mask) {
      this.#register(entry, mask);
    }
  }

  #register(entry: Entry, mask: number | undefined): void {
    const operation = entry.mask === undefined ? ADD : mask === undefined ? REMOVE : CHANGE;
    const event = new Packer(EVENT_BYTES)
      .u32(mask ?? 0)
      .u64(entry.token)
      .finish();
    const result = attempt('epoll_ctl', this.#epoll, operation, entry.fd, event);
    if (result === EPERM && operation === ADD) {
      this.#alwaysReady.add(entry);
      return;
    }
    if (result < 0 && operation !== REMOVE) {
      this.#entries.delete(entry.token);
      checked('epoll_ctl', result);
    }
    entry.mask = mask;
  }
}

/** Undefined where nothing is asked for: epoll must not have the fd then, because it reports hang-ups unasked. */
function wanted({ readable, writable, hangup }: Handlers): number | undefined {
  if (readable === undefined && writable === undefined && hangup === undefined) return undefined;
  return (readable === undefined ? 0 : EPOLLIN) | (writable === undefined ? 0 : EPOLLOUT);
}
