/** A supervisor's end of the connection to the keeper of its spare machine (`spare-protocol.ts`). */
import { AbiError } from '../src/abi/json.ts';
import { SystemError, unless } from '../src/native/errors.ts';
import { close, File, open_ } from '../src/native/files.ts';
import type { Loop } from '../src/native/loop.ts';
import { pollReadable } from '../src/native/polling.ts';
import { type Exit, killOpen } from '../src/native/processes.ts';
import { KvmError } from './error.ts';
import type { Member } from './members.ts';
import { hear, readNews, say, type Taken, tell } from './spare-protocol.ts';

const TAKEN_MS = 10_000;
const END_MS = 5000;

/** QEMU, by its keeper, whose child it is. That may say at any time that it has ended. */
export class KeptQemu implements Member {
  readonly name = 'qemu';
  #taken: Taken | undefined;
  /** The connection is closed. */
  #isOver = false;
  /** A keeper that ends without a word has taken QEMU with it. */
  #exit: Exit = { kind: 'signalled', signal: 9, dumped: false };

  /** `process` is the same as `pid`, open, whatever that number is here; taken over when it is watched. */
  constructor(
    readonly pid: number,
    private readonly process: number,
    private readonly socket: number,
  ) {}

  /** It is to come to this process's network namespace, and to the groups of these files. @throws SystemError */
  take(groups: readonly string[]): void {
    using network = File.open('/proc/self/ns/net', open_.readOnly);
    say(this.socket, { type: 'take', groups }, [network.fd]);
  }

  /** Until it has come, however often. @throws KvmError where it cannot */
  settle(): void {
    while (!this.#isOver && this.#taken === undefined && this.#listen(TAKEN_MS)) {}
    const problem =
      this.#taken === undefined ? 'the keeper of the spare machine has gone' : this.#taken.problem;
    if (problem !== null) throw new KvmError('vessel-failed', problem);
  }

  watch(loop: Loop, ended: (exit: Exit) => void): void {
    const watch = loop.watch(this.socket, {
      readable: () => {
        if (this.#listen(0)) return;
        // The keeper is in the pod's control groups itself.
        this.#isOver = true;
        watch.close();
        close(this.socket);
        this.#awaitEnd();
        close(this.process);
        ended(this.#exit);
      },
    });
  }

  /** Whatever has become of its keeper, who is told as well. */
  kill(): void {
    if (this.#isOver) return;
    unless(['ESRCH'], () => killOpen(this.process, 'SIGKILL'));
    tell(this.socket, { type: 'end' });
  }

  /** That of a keeper who was killed ends with him, but not before him. */
  #awaitEnd(): void {
    pollReadable([this.process], END_MS);
  }

  /** Before anybody watches it: until nothing is left of it, whose taps may be in the way of others. */
  abandon(): void {
    this.kill();
    while (this.#listen(END_MS)) {}
    this.#awaitEnd();
    close(this.socket);
  }

  /** False: nothing comes, or nothing that is worth waiting for more. */
  #listen(milliseconds: number): boolean {
    try {
      const received = hear(this.socket, milliseconds);
      if (received === undefined) return false;
      const news = readNews(received);
      if (news.type === 'taken') this.#taken = news;
      else this.#exit = news.exit;
      return true;
    } catch (error) {
      if (isUnusable(error)) return false;
      throw error;
    }
  }
}

/** Whether it is the other's fault. */
export function isUnusable(error: unknown): error is Error {
  return [SystemError, AbiError, SyntaxError, KvmError].some((kind) => error instanceof kind);
}
