/**
 * How an app tells that it is ready: the socket of sd_notify(3). PID 1 makes it, the app's process binds it to its name when
 * it has entered its root (no path of the app's is looked up anywhere else), and what is sent there goes on to the host.
 */
import { NOTIFY_DIRECTORY, NOTIFY_PATH, type Notice, parseNotice } from '../src/abi/notify.ts';
import { utf8Decode } from '../src/native/engine.ts';
import { close } from '../src/native/files.ts';
import type { Loop, Timer, Watch } from '../src/native/loop.ts';
import { receive } from '../src/native/messages.ts';
import { mkdirAll } from '../src/native/paths.ts';
import { bind, openSocket } from '../src/native/sockets.ts';

/** What comes beyond that is cut off; systemd takes as much. */
const DATAGRAM_BYTES = 4096;
/** Between two datagrams: who sends more of them waits, as the socket's queue is short. */
const PAUSE_MS = 20;
/** More than the kernel queues for a socket, unless it was told to queue more. */
const LAST_WORDS = 64;

export class Notices {
  readonly fd = openSocket('datagram', { nonBlocking: true });
  readonly #loop: Loop;
  readonly #watch: Watch;
  readonly #said: (notice: Notice) => void;
  #pause: Timer | undefined;
  #open = true;

  constructor(loop: Loop, said: (notice: Notice) => void) {
    this.#loop = loop;
    this.#said = said;
    this.#watch = loop.watch(this.fd, {});
    this.#listen();
  }

  /** Takes what was sent before. */
  close(): void {
    if (!this.#open) return;
    for (let count = 0; count < LAST_WORDS && this.#take(); count++) {}
    this.#open = false;
    this.#pause?.cancel();
    this.#watch.close();
    close(this.fd);
  }

  #listen(): void {
    this.#watch.update({
      readable: () => {
        this.#take();
        if (!this.#open) return;
        this.#watch.update({});
        this.#pause = this.#loop.after(PAUSE_MS, () => this.#listen());
      },
    });
  }

  /** Files that come along are closed by the kernel, which is what the sender's barrier waits for. */
  #take(): boolean {
    const received = receive(this.fd, DATAGRAM_BYTES);
    if (received === undefined) return false;
    const notice = parseNotice(utf8Decode(received.bytes));
    if (notice !== undefined) this.#said(notice);
    return true;
  }
}

/** In the app's process, whose umask is 0: any user of the app may send. */
export function bindNotices(fd: number): void {
  mkdirAll(NOTIFY_DIRECTORY, 0o755);
  bind(fd, { kind: 'path', path: NOTIFY_PATH });
}
