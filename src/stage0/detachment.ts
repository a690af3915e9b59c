import { closeSync, constants, fstatSync, openSync, readSync, watch } from 'node:fs';
import { dirname, join } from 'node:path';
import { setImmediate as nextCycle } from 'node:timers/promises';
import { POD, READY } from '../abi/pod-directory.ts';
import type { PodUUID } from '../appc/index.ts';
import { type DetachedProcess, startDetached as startProcess } from '../os/detached.ts';
import { ownNamespaces } from '../os/namespaces.ts';
import { type Observation, observe } from '../pod/observation.ts';
import type { Pod } from '../pod/pod.ts';
import { Stage0Error } from './errors.ts';
import type { Host } from './host.ts';
import { type Inheritance, type StartRequest, supervisorProgram } from './supervisor.ts';

/** What has become of a pod that was started to be left alone. */
export interface Detached {
  readonly uuid: PodUUID;
  /** Its exit code, if it has ended without ever being ready. */
  readonly code: number | undefined;
  /** What its supervisor has said so far. */
  readonly messages: string;
}

/** As many fds as a supervisor gets, from the first that is no standard stream. */
const FIRST_FD = 3;
const POLL_MILLISECONDS = 50;
const MESSAGES_MAX = 64 * 1024;

/**
 * Starts the supervisor of a pod that is ours and filled in a session of its own, and waits until the pod is ready or has ended. An
 * abort ends the pod: a command that is taken back leaves nothing running.
 */
export async function startDetached(
  host: Host,
  pod: Pod,
  request: StartRequest,
  { environment, secrets }: Inheritance,
  signal: AbortSignal | undefined,
): Promise<Detached> {
  using log = new SupervisorLog(pod);
  const own = [...ownNamespaces(), ...(secrets === undefined ? [] : [secrets])];
  const from = [pod.lock.fd, ...own];
  const to = from.map((_, index) => FIRST_FD + index);
  const program = supervisorProgram(host, pod, request, environment, { from, to });
  pod.move('run');
  using directory = observe(pod);
  if (directory === undefined) throw new Stage0Error('no-pod', `pod ${JSON.stringify(pod.uuid)} was removed`);
  using readiness = new Readiness(pod, directory);
  const supervisor = startProcess(program, pod.path, log.fd);
  for (const fd of own) closeSync(fd);
  // From here on the supervisor alone has the lock: with its end the pod has ended, whatever becomes of us.
  pod.lock.leave();
  const code = await firstOf(supervisor, readiness, signal);
  supervisor.leave();
  return { uuid: pod.uuid, code: code === 'ready' ? undefined : code, messages: log.text() };
}

/** The supervisor's exit code, if it ends before the pod is ready. */
async function firstOf(
  supervisor: DetachedProcess,
  readiness: Readiness,
  signal: AbortSignal | undefined,
): Promise<number | 'ready'> {
  const stop = () => supervisor.signal('SIGTERM');
  signal?.addEventListener('abort', stop, { once: true });
  if (signal?.aborted === true) stop();
  try {
    const first = await Promise.race([supervisor.ended, readiness.reached]);
    if (signal?.aborted === true) {
      await supervisor.ended;
      signal.throwIfAborted();
    }
    // One that was ready for an instant only was ready: what tells of it may not have been read yet.
    if (first !== 'ready') await nextCycle().then(() => nextCycle());
    return readiness.isReached() ? 'ready' : first;
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

/**
 * Whether a pod has become ready. The file that says so may be gone a moment later, with the whole pod: then the kernel has told us
 * of it nevertheless. Where nothing can be watched the file is asked for.
 */
class Readiness implements Disposable {
  readonly reached: Promise<'ready'>;
  readonly #directory: Observation;
  readonly #stop: () => void;
  #seen = false;

  constructor(pod: Pod, directory: Observation) {
    this.#directory = directory;
    let resolve: (word: 'ready') => void = () => {};
    this.reached = new Promise((settle) => {
      resolve = settle;
    });
    const look = () => {
      if (this.isReached()) resolve('ready');
    };
    const stopWatching = watchFor(pod, () => {
      this.#seen = true;
      look();
    });
    const timer = setInterval(look, POLL_MILLISECONDS);
    this.#stop = () => {
      stopWatching();
      clearInterval(timer);
    };
  }

  isReached(): boolean {
    this.#seen ||= this.#directory.link(POD.supervisorStatus) === READY;
    return this.#seen;
  }

  [Symbol.dispose](): void {
    this.#stop();
  }
}

function watchFor(pod: Pod, seen: () => void): () => void {
  const name = POD.supervisorStatus.slice(dirname(POD.supervisorStatus).length + 1);
  try {
    const watcher = watch(join(pod.path, dirname(POD.supervisorStatus)), (_, file) => {
      if (file === name) seen();
    });
    // The kernel has only so many watches for a user; without one there is still the timer.
    watcher.on('error', () => watcher.close());
    return () => watcher.close();
  } catch {
    return () => {};
  }
}

/** What the supervisor says: a file in the pod's directory, which we hold should that go. */
class SupervisorLog implements Disposable {
  readonly fd: number;

  constructor(pod: Pod) {
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;
    this.fd = openSync(join(pod.path, POD.supervisorLog), flags | constants.O_APPEND, 0o640);
  }

  /** The end of it, where it is long. */
  text(): string {
    const { size } = fstatSync(this.fd);
    const bytes = Buffer.alloc(Math.min(size, MESSAGES_MAX));
    const length = readSync(this.fd, bytes, 0, bytes.length, Math.max(0, size - bytes.length));
    return bytes.toString('utf8', 0, length);
  }

  [Symbol.dispose](): void {
    closeSync(this.fd);
  }
}
