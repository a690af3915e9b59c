import { NOTIFY_ENV } from '../abi/notify.ts';
import { monotonicMilliseconds } from '../native/clock.ts';
import { environment, utf8Encode } from '../native/engine.ts';
import { SystemError } from '../native/errors.ts';
import type { Loop, Timer } from '../native/loop.ts';
import { sendNow } from '../native/messages.ts';
import { connectTo, type UnixAddress } from '../native/sockets.ts';
import { printable } from './printable.ts';
import type { Report } from './report.ts';

type Word = 'READY' | 'STOPPING' | 'STATUS';

/** Between two that tell of nothing but a status: what a guest says in between is overtaken. */
const STATUS_MS = 1000;
/** Until the next try where the manager's queue is full. */
const RETRY_MS = 100;

/**
 * Whoever started rkt and wants to be told when the pod is ready: systemd, by sd_notify(3). Connected early, while the file
 * system and the network namespace are still those that the socket's name is meant in. Where nobody asks nothing is sent.
 */
export class ServiceManager {
  readonly #loop: Loop;
  readonly #socket: number | undefined;
  readonly #words = new Map<Word, string>();
  #timer: Timer | undefined;
  #statusAfter = 0;
  #isStopping = false;

  constructor(loop: Loop, report: Report, name = environment(NOTIFY_ENV)) {
    this.#loop = loop;
    this.#socket = name === undefined || name === '' ? undefined : connected(name, report);
  }

  ready(): void {
    this.#say('READY', '1');
  }

  /** Once: a guest may say it again and again. */
  stopping(): void {
    if (!this.#isStopping) this.#say('STOPPING', '1');
    this.#isStopping = true;
  }

  /** From a guest: a line that commands nothing. */
  status(text: string): void {
    this.#say('STATUS', printable(text));
  }

  #say(word: Word, value: string): void {
    if (this.#socket === undefined) return;
    this.#words.set(word, value);
    const wait = word === 'STATUS' ? this.#statusAfter - monotonicMilliseconds() : 0;
    if (wait <= 0) this.#flush();
    else this.#later(wait);
  }

  #later(milliseconds: number): void {
    this.#timer ??= this.#loop.after(milliseconds, () => {
      this.#timer = undefined;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#socket === undefined || this.#words.size === 0) return;
    const lines = [...this.#words].map(([word, value]) => `${word}=${value}`);
    if (!sent(this.#socket, lines.join('\n'))) {
      this.#later(RETRY_MS);
      return;
    }
    if (this.#words.has('STATUS')) this.#statusAfter = monotonicMilliseconds() + STATUS_MS;
    this.#words.clear();
  }
}

function connected(name: string, report: Report): number | undefined {
  const address = addressOf(name);
  try {
    if (address !== undefined) return connectTo('datagram', address);
    report.warn(`${NOTIFY_ENV}=${name}: neither a path nor an abstract name`);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    report.warn(`${NOTIFY_ENV}=${name}: ${error.message}`);
  }
  return undefined;
}

function addressOf(name: string): UnixAddress | undefined {
  if (name.startsWith('/')) return { kind: 'path', path: name };
  return name.startsWith('@') ? { kind: 'abstract', name: name.slice(1) } : undefined;
}

/** False: not yet. One that is gone is told nothing more. */
function sent(socket: number, text: string): boolean {
  try {
    return sendNow(socket, utf8Encode(text)) !== undefined;
  } catch (error) {
    if (error instanceof SystemError) return true;
    throw error;
  }
}
