import type { AppPlan, StreamsPlan } from '../abi/boot-plan.ts';
import type { HealthPlan } from '../abi/health.ts';
import { duplicateAbove } from '../native/descriptors.ts';
import { close, readNow } from '../native/files.ts';
import type { Loop, Timer, Watch } from '../native/loop.ts';
import { openPipe } from '../native/pipes.ts';
import type { CheckResult } from './health-verdict.ts';
import type { Session } from './session.ts';
import { TextRing } from './text-ring.ts';

const OUTPUT_BYTES = 4096;
const OUTPUT_LINES = 20;
/** What its output gets to arrive after its end; somebody in the background may hold it for ever. */
const LINGER_MS = 500;

/** One run of an app's health check: a process in the app, as the app's own, whose output we read and mostly drop. */
export class HealthCheck {
  readonly #loop: Loop;
  readonly #session: Session;
  readonly #id: string;
  readonly #streams: readonly number[];
  readonly #output: number;
  readonly #watch: Watch;
  readonly #ring = new TextRing(OUTPUT_BYTES);
  readonly #buffer = new Uint8Array(OUTPUT_BYTES);
  #report: ((result: CheckResult) => void) | undefined;
  #timeout: Timer | undefined;
  #linger: Timer | undefined;
  #code: number | undefined;
  #isOpen = true;
  #processIsOver = false;
  #openStreams = 2;

  /** `done` is called once: when it has ended, or has taken too long. */
  constructor(
    loop: Loop,
    session: Session,
    app: AppPlan,
    plan: HealthPlan,
    done: (result: CheckResult) => void,
  ) {
    this.#loop = loop;
    this.#session = session;
    this.#report = done;
    const pipe = openPipe({ nonBlocking: true });
    this.#output = pipe.read;
    this.#watch = loop.watch(pipe.read, { readable: () => this.#read() });
    const { streams } = session;
    const [stdout, stderr] = [streams.allocate(), streams.allocate()];
    this.#streams = [stdout, stderr];
    const ended = () => void this.#openStreams--;
    streams.output(stdout, duplicateAbove(pipe.write, 3), ended);
    streams.output(stderr, pipe.write, ended);
    this.#id = session.expect({
      started: () => {},
      failed: (_, message) => this.#failed(message),
      exited: (code) => this.#exited(code),
    });
    const process = { ...app.process, argv: plan.command };
    const plans: StreamsPlan = { kind: 'pipes', stdin: null, stdout, stderr };
    session.send({ type: 'exec', id: this.#id, app: app.name, process, streams: plans });
    this.limit(plan.timeout);
  }

  /** The guest has nothing of it any more, and says so. */
  get isGone(): boolean {
    return this.#processIsOver && this.#openStreams === 0;
  }

  /** From now on it gets so long. */
  limit(milliseconds: number): void {
    this.#timeout?.cancel();
    if (this.#report !== undefined)
      this.#timeout = this.#loop.after(milliseconds, () => this.#timedOut(milliseconds));
  }

  /** The pod stands still. */
  suspend(): void {
    this.#timeout?.cancel();
  }

  /** Nobody wants to know any more. */
  cancel(): void {
    this.#report = undefined;
    this.#kill();
    this.#close();
  }

  #timedOut(milliseconds: number): void {
    const output = [...this.#lines(), `it took longer than ${milliseconds / 1000} s`].join('\n');
    this.#tell({ exitCode: null, output });
    this.#kill();
    this.#close();
  }

  #failed(message: string): void {
    this.#processIsOver = true;
    this.#tell({ exitCode: null, output: message });
    this.#close();
  }

  #exited(code: number): void {
    this.#processIsOver = true;
    this.#code = code;
    if (this.#isOpen) this.#linger = this.#loop.after(LINGER_MS, () => this.#finish());
  }

  #read(): void {
    const length = readNow(this.#output, this.#buffer);
    if (length === undefined) return;
    if (length > 0) {
      this.#ring.add(this.#buffer.subarray(0, length));
      return;
    }
    this.#watch.update({});
    if (this.#code !== undefined) this.#finish();
    else this.#linger = this.#loop.after(0, () => this.#finish());
  }

  #finish(): void {
    if (this.#code === undefined) return;
    this.#tell({ exitCode: this.#code, output: this.#lines().join('\n') });
    this.#close();
  }

  #lines(): string[] {
    return this.#ring.lastLines(OUTPUT_LINES);
  }

  #tell(result: CheckResult): void {
    const report = this.#report;
    this.#report = undefined;
    this.#timeout?.cancel();
    report?.(result);
  }

  #kill(): void {
    if (!this.#processIsOver) this.#session.send({ type: 'end-session', id: this.#id });
  }

  /** Whatever still holds the other ends writes to nobody. */
  #close(): void {
    this.#timeout?.cancel();
    this.#linger?.cancel();
    if (!this.#isOpen) return;
    this.#isOpen = false;
    for (const stream of this.#streams) this.#session.send({ type: 'close', stream });
    this.#watch.close();
    close(this.#output);
  }
}
