/** One call of a CNI plugin: a program that reads its configuration, and writes a result or an error (CNI specification, section 2). */
import type { JsonObject } from '../../abi/json.ts';
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
import { signalName } from '../../native/signals.ts';
import { spawn } from '../../native/spawn.ts';
import { CNI_ERROR, CniError, parseError } from '../../net/cni/errors.ts';
import type { HostSide } from './host-side.ts';
import type { EndingSignals } from './interruption.ts';

/** Of a program that does not stop writing, the beginning is kept. */
const LARGEST_ANSWER = 4 * 1024 * 1024;
const MOST_WORDS = 16 * 1024;
const CHUNK = 65536;

export interface PluginCall {
  readonly path: string;
  readonly environment: readonly string[];
  readonly input: JsonObject;
  /** Milliseconds, after which it is killed. */
  readonly limit: number;
  /** An open file that the plugin keeps open, as its fd 3: whoever has the lock on it waits for the plugin. */
  readonly lock: number;
  /** Which end it. */
  readonly signals?: EndingSignals | undefined;
}

/** What it writes to its standard output. @throws CniError in the plugin's own words, SpawnError, Interruption */
export function callPlugin(host: HostSide, call: PluginCall): string {
  const { path, environment, input, limit, lock } = call;
  const stdin = openMemoryFile('configuration', utf8Encode(JSON.stringify(input)));
  const answer = new Collector(LARGEST_ANSWER);
  const words = new Collector(MOST_WORDS);
  try {
    const pid = spawn({
      path,
      argv: [path],
      env: environment,
      fds: [stdin, answer.input, words.input, lock],
      // In a session of its own, which no terminal's keys reach. A supervisor that is killed ends it: nobody would know what it makes.
      steps: [{ do: 'session' }, ...host.steps, { do: 'parent-death-signal', signal: 'SIGKILL' }],
    });
    const exit = collect(pid, [answer, words], call);
    return judge(path, exit, { limit, answer, words });
  } finally {
    close(stdin);
    answer[Symbol.dispose]();
    words[Symbol.dispose]();
  }
}

/** Reads until the program has ended; not until the pipes have, which it may have left to others. Undefined when it was late. */
function collect(
  pid: number,
  outputs: readonly Collector[],
  { limit, signals }: PluginCall,
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

interface Outcome {
  readonly limit: number;
  readonly answer: Collector;
  readonly words: Collector;
}

function judge(path: string, exit: Exit | undefined, { limit, answer, words }: Outcome): string {
  const said = words.text.trim();
  if (exit === undefined)
    throw new CniError(CNI_ERROR.internal, `'${path}' was not done after ${limit / 1000} s`, said);
  if (answer.isCut) throw new CniError(CNI_ERROR.internal, `'${path}' says too much`, said);
  if (exit.kind === 'exited' && exit.code === 0) return answer.text;
  const how = exit.kind === 'exited' ? `exit code ${exit.code}` : signalName(exit.signal);
  const details = said === '' ? answer.text.trim() : said;
  throw parseError(answer.text) ?? new CniError(CNI_ERROR.internal, `'${path}' has failed: ${how}`, details);
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
