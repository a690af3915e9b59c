import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { TestSupportError } from './error.ts';
import type { ProcessScope } from './process-scope.ts';

export interface CommandOptions {
  /** Added to a small fixed environment; undefined removes. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** All of standard input; without it the input is empty. `open`: the test writes and ends it. */
  readonly input?: string | Uint8Array | 'open';
  /** After this the command and all that came from it are killed and the test fails. */
  readonly timeoutSeconds?: number;
}

export interface Finished {
  /** As a shell shows it: 128 + n after signal n. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly stdoutBytes: Buffer;
  readonly stderrBytes: Buffer;
  readonly milliseconds: number;
}

const SIGNALS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGKILL: 9,
  SIGPIPE: 13,
  SIGTERM: 15,
};
const ENVIRONMENT = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8' };

/** A command that runs in a test's scope, in a session of its own: nothing it does to its terminal or group is ours. */
export class RunningCommand {
  readonly finished: Promise<Finished>;
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #stdout: Buffer[] = [];
  readonly #stderr: Buffer[] = [];

  constructor(scope: ProcessScope, argv: readonly string[], options: CommandOptions = {}) {
    const [file = '', ...args] = scope.enter(argv);
    this.#child = spawn(file, args, {
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...ENVIRONMENT, ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    this.#child.stdout.on('data', (chunk: Buffer) => this.#stdout.push(chunk));
    this.#child.stderr.on('data', (chunk: Buffer) => this.#stderr.push(chunk));
    // A command may end without having read its input.
    this.#child.stdin.on('error', () => {});
    if (options.input !== 'open') this.#child.stdin.end(options.input ?? '');
    this.finished = this.#finish(scope, argv, options.timeoutSeconds ?? 300);
    // Whoever awaits gets the failure; a test that failed earlier must not bring the runner down with a second one.
    this.finished.catch(() => {});
  }

  /** The pid of the command, and since rkt executes its stage1, of the pod's supervisor. */
  get pid(): number {
    const pid = this.#child.pid;
    if (pid === undefined) throw new TestSupportError('MISSING_REQUIREMENT', 'command was not started');
    return pid;
  }

  get stdin(): Writable {
    return this.#child.stdin;
  }

  /** What has been printed so far. */
  get stdout(): string {
    return Buffer.concat(this.#stdout).toString();
  }

  get stderr(): string {
    return Buffer.concat(this.#stderr).toString();
  }

  get ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  #finish(scope: ProcessScope, argv: readonly string[], seconds: number): Promise<Finished> {
    const started = performance.now();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        scope.killAll();
        reject(this.#timeout(argv, seconds));
      }, seconds * 1000);
      this.#child.once('error', reject);
      this.#child.once('close', (code, signal) => {
        clearTimeout(timer);
        const [stdoutBytes, stderrBytes] = [Buffer.concat(this.#stdout), Buffer.concat(this.#stderr)];
        resolve({
          code: code ?? 128 + (SIGNALS[signal ?? ''] ?? 0),
          stdout: stdoutBytes.toString(),
          stderr: stderrBytes.toString(),
          stdoutBytes,
          stderrBytes,
          milliseconds: performance.now() - started,
        });
      });
    });
  }

  #timeout(argv: readonly string[], seconds: number): TestSupportError {
    const printed = `stdout so far: ${this.stdout.slice(-2000)}\nstderr so far: ${this.stderr.slice(-4000)}`;
    return new TestSupportError('TIMEOUT', `still running after ${seconds} s: ${argv.join(' ')}\n${printed}`);
  }
}
