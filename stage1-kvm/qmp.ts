import { utf8Decode, utf8Encode } from '../src/native/engine.ts';
import { SystemError } from '../src/native/errors.ts';
import { close, readNow } from '../src/native/files.ts';
import type { Loop, Watch } from '../src/native/loop.ts';
import { send } from '../src/native/messages.ts';

export interface QmpEvents {
  /** The guest has powered itself off, or reset itself, which only a crashed one does. */
  shutdown(reason: 'power-off' | 'reset'): void;
  /** QEMU has stopped the guest for good; `status` is QEMU's word for why. */
  stopped(status: string): void;
  /** How far a machine has come that is being saved or restored. */
  migration?(status: string): void;
}

/** What is looked at in any of QEMU's messages. */
interface Fields {
  readonly event?: unknown;
  readonly data?: unknown;
  readonly return?: unknown;
  readonly error?: unknown;
  readonly id?: unknown;
  readonly desc?: unknown;
  readonly reason?: unknown;
  readonly running?: unknown;
  readonly status?: unknown;
}

const READ_BYTES = 4096;
/** A QEMU that says more in one line has been taken over. */
const LINE_CHARACTERS = 65536;

/** Told when QEMU has done what it was told to; with its words when it has not. */
type Done = (refusal: string | undefined) => void;

/** QEMU's events (docs/interop/qmp-spec). What QEMU says is believed only as far as ending its own pod. */
export class Qmp {
  readonly #fd: number;
  readonly #watch: Watch;
  readonly #events: QmpEvents;
  readonly #buffer = new Uint8Array(READ_BYTES);
  readonly #asked = new Map<number, Done>();
  #last = 0;
  /** From the order to stand still to the answer to the order to go on. */
  #standsStill = false;
  #line = '';
  #open = true;

  /** Takes the fd, a non-blocking socket, over. */
  constructor(loop: Loop, fd: number, events: QmpEvents) {
    this.#fd = fd;
    this.#events = events;
    this.#watch = loop.watch(fd, { readable: () => this.#read() });
    // Without this first command there are no events. It waits in the socket until QEMU listens.
    this.#execute('qmp_capabilities');
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#watch.close();
    close(this.#fd);
    const asked = [...this.#asked.values()];
    this.#asked.clear();
    for (const done of asked) done('QEMU is gone');
  }

  /** Stops the guest's processors. One that stands still already stays so. */
  pause(done: Done): void {
    this.#standsStill = true;
    this.ask('stop', (refusal) => {
      if (refusal !== undefined) this.#standsStill = false;
      done(refusal);
    });
  }

  /** Lets them go on; one that runs already does. */
  resume(done: Done): void {
    this.ask('cont', (refusal) => {
      if (refusal === undefined) this.#standsStill = false;
      done(refusal);
    });
  }

  /** Any other command; with an open file where it takes one. */
  ask(command: string, done: Done, given?: object, fds: readonly number[] = []): void {
    if (!this.#open) {
      done('QEMU is gone');
      return;
    }
    const id = ++this.#last;
    this.#asked.set(id, done);
    this.#execute(command, { id, arguments: given }, fds);
  }

  #execute(command: string, more: object = {}, fds: readonly number[] = []): void {
    try {
      send(this.#fd, utf8Encode(`${JSON.stringify({ execute: command, ...more })}\n`), fds);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      this.close();
    }
  }

  #read(): void {
    const read = this.#tryRead();
    if (read === undefined) return;
    const lines = `${this.#line}${utf8Decode(this.#buffer.subarray(0, read))}`.split('\n');
    this.#line = lines.pop() ?? '';
    // QEMU's end is noticed by its process; until then there is nothing to hear any more.
    if (read === 0 || this.#line.length > LINE_CHARACTERS) this.close();
    for (const line of lines) this.#take(line);
  }

  #tryRead(): number | undefined {
    try {
      return readNow(this.#fd, this.#buffer);
    } catch (error) {
      if (error instanceof SystemError) return 0;
      throw error;
    }
  }

  #take(line: string): void {
    const message = parseObject(line);
    switch (message.event) {
      case 'SHUTDOWN':
        this.#events.shutdown(reasonOf(message.data));
        break;
      case 'STOP':
        // Why it stopped is in the status, not in the event.
        if (this.#open) this.#execute('query-status');
        break;
      case 'MIGRATION':
        this.#events.migration?.(wordOf(message.data));
        break;
      default:
        if (!this.#answerAsked(message)) this.#answer(message.return);
    }
  }

  #answerAsked({ id, error }: Fields): boolean {
    const done = typeof id === 'number' ? this.#asked.get(id) : undefined;
    if (typeof id !== 'number' || done === undefined) return false;
    this.#asked.delete(id);
    done(error === undefined ? undefined : descriptionOf(error));
    return true;
  }

  #answer(result: unknown): void {
    if (!isObject(result) || result.running !== false) return;
    if (result.status === 'paused' && this.#standsStill) return;
    this.#events.stopped(typeof result.status === 'string' ? result.status : 'it does not say why');
  }
}

function wordOf(data: unknown): string {
  return isObject(data) && typeof data.status === 'string' ? data.status : '';
}

function reasonOf(data: unknown): 'power-off' | 'reset' {
  const reason = isObject(data) ? data.reason : undefined;
  return reason === 'guest-reset' || reason === 'guest-panic' ? 'reset' : 'power-off';
}

function descriptionOf(error: unknown): string {
  return isObject(error) && typeof error.desc === 'string' ? error.desc : 'QEMU does not say why';
}

function parseObject(line: string): Fields {
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
