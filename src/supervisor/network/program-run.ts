/** One run of a program on the host's side, with an end: it is late, or a signal comes that ends the pod. */
import { concat } from '../../native/bytes.ts';
import { monotonicMilliseconds } from '../../native/clock.ts';
import { setNonBlocking } from '../../native/descriptors.ts';
import { utf8Decode, utf8Encode } from '../../native/engine.ts';
import { unless } from '../../native/errors.ts';
import { close, readNow } from '../../native/files.ts';
import { openMemoryFile } from '../../native/memory-files.ts';
import { openPipe } from '../../native/pipes.ts';
import { pollReadable } from '../../native/polling.ts';
import { type Exit, kill, openProcess, waitFor } from '../../native/processes.ts';
import { spawn } from '../../native/spawn.ts';
import type { HostSide } from './host-side.ts';
import type { EndingSignals } from './interruption.ts';

/** What the lock is called in a program. */
export const LOCK_FD = 3;
const CHUNK = 65536;
const MOST_WORDS = 16 * 1024;

export interface ProgramRun {
  readonly path: string;
  readonly args?: readonly string[];
  readonly environment: readonly string[];
  /** For its standard input. */
  readonly input: string;
  /** How many bytes of its standard output are kept. */
  readonly most: number;
  /** Milliseconds, after which it is killed. */
  readonly limit: number;
  /** An open file that it keeps open, as its fd 3: whoever waits for the lock on it waits for the program. */
  readonly lock: number;
  /** Which end it. */
  readonly signals?: EndingSignals | undefined;
}

export interface ProgramEnd {
  /** Undefined when it was late. */
  readonly exit: Exit | undefined;
  readonly output: string;
  /** It has written more than is kept. */
  readonly isCut: boolean;
  /** The beginning of what it has said on its standard error. */
  readonly words: string;
}

/** @throws SpawnError, Interruption */
export function runOnHost(host: HostSide, run: ProgramRun): ProgramEnd {
  const { path, args = [], environment: env, input, lock } = run;
  const stdin = openMemoryFile('input', utf8Encode(input));
  using output = new Collector(run.most);
  using words = new Collector(MOST_WORDS);
  try {
    const fds = [stdin, output.input, words.input, lock];
    // In a session of its own, which no terminal's keys reach. With its supervisor it is killed: nobody would know what it makes.
    const ending = { do: 'parent-death-signal', signal: 'SIGKILL' } as const;
    const steps = [{ do: 'session' } as const, ...host.steps, ending];
    const pid = spawn({ path, argv: [path, ...args], env, fds, steps });
    const exit = collect(pid, [output, words], run);
    return { exit, output: output.text, isCut: output.isCut, words: words.text.trim() };
  } finally {
    close(stdin);
  }
}

/** Reads until the program has ended; not until the pipes have, which it may have left to others. */
function collect(
  pid: number,
  outputs: readonly Collector[],
  { limit, signals }: ProgramRun,
): Exit | undefined {
  const process = openProcess(pid);
  const fds = [process, ...outputs.map(({ output }) => output), ...(signals ? [signals.fd] : [])];
  const deadline = monotonicMilliseconds() + limit;
  try {
    for (;;) {
      const left = deadline - monotonicMilliseconds();
      const [hasEnded] = pollReadable(fds, left);
      for (const output of outputs) output.read();
      if (hasEnded === true) break;
      if (left <= 0) return end(pid);
      signals?.refuse();
    }
    for (const output of outputs) output.read();
    return waitFor(pid).exit;
  } catch (error) {
    end(pid);
    throw error;
  } finally {
    close(process);
  }
}

/** With whatever it has started: it is the leader of a group. */
function end(pid: number): undefined {
  unless(['ESRCH'], () => kill(-pid, 'SIGKILL'));
  waitFor(pid);
  return undefined;
}

/** A pipe that a program writes to, and the beginning of what it has written. */
class Collector {
  readonly #pipe = openPipe();
  readonly #parts: Uint8Array[] = [];
  readonly #buffer = new Uint8Array(CHUNK);
  #length = 0;

  constructor(private readonly most: number) {
    setNonBlocking(this.#pipe.read, true);
  }

  get input(): number {
    return this.#pipe.write;
  }

  get output(): number {
    return this.#pipe.read;
  }

  get isCut(): boolean {
    return this.#length > this.most;
  }

  get text(): string {
    return utf8Decode(concat(this.#parts));
  }

  /** All that is there. What is more than is kept is read all the same: the program is not to wait for us. */
  read(): void {
    for (;;) {
      // There is no end: we have the other one as well.
      const count = readNow(this.#pipe.read, this.#buffer);
      if (count === undefined) return;
      const room = Math.max(0, this.most - this.#length);
      if (room > 0) this.#parts.push(this.#buffer.slice(0, Math.min(count, room)));
      this.#length += count;
    }
  }

  [Symbol.dispose](): void {
    close(this.#pipe.read);
    close(this.#pipe.write);
  }
}
