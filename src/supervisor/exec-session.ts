import type { ProcessPlan, StreamsPlan } from '../abi/boot-plan.ts';
import type { ControlRequest } from '../abi/control.ts';
import { startFailureCode } from '../abi/exit-code.ts';
import type { StartStep } from '../abi/guest.ts';
import { close } from '../native/files.ts';
import { signals } from '../native/signals.ts';
import type { Caller } from './control-server.ts';
import { endpoint } from './endpoints.ts';
import type { Session } from './session.ts';
import { closeAll } from './streams.ts';

type ExecRequest = Extract<ControlRequest, { type: 'exec' | 'copy' }>;

/** A process that a caller runs in a running app, or that copies the app's files for it; it lives as long as its caller does. */
export class ExecSession {
  readonly #session: Session;
  readonly #caller: Caller;
  readonly #id: string;
  readonly #streams: StreamsPlan;
  /** For a process that does not run yet, which PID 1 would not find; undefined once it does. */
  #early: number[] | undefined = [];
  #code: number | undefined;
  #openOutputs: number;

  /** Refuses by an answer. `fds`, which are taken over, are the caller's stdin, stdout and stderr, or its terminal. */
  static start(
    session: Session,
    request: ExecRequest,
    fds: readonly number[],
    caller: Caller,
  ): ExecSession | undefined {
    const app = session.planOf(request.app) ?? session.plan?.apps.find(({ name }) => name === request.app);
    const refusal = refusalOf(session, request, fds, app === undefined);
    if (app === undefined || refusal !== undefined) {
      closeAll(fds);
      caller.answer({ type: 'refused', message: refusal ?? '' });
      caller.finish();
      return undefined;
    }
    return new ExecSession(session, request, app.process, fds, caller);
  }

  private constructor(
    session: Session,
    request: ExecRequest,
    like: ProcessPlan,
    fds: readonly number[],
    caller: Caller,
  ) {
    this.#session = session;
    this.#caller = caller;
    const terminal = terminalOf(request);
    this.#streams = planStreams(session, terminal);
    this.#openOutputs = this.#streams.kind === 'terminal' ? 1 : 2;
    this.#id = session.expect({
      started: (pid) => this.#started(pid),
      failed: (step, message) => this.#failed(step, message),
      exited: (code) => this.#exited(code),
    });
    this.#join(fds);
    caller.onGone(() => this.signal(signals.SIGHUP));
    const message = { type: 'exec', id: this.#id, app: request.app, streams: this.#streams } as const;
    if (request.type === 'copy') {
      session.send({ ...message, process: like, copy: request.plan });
      return;
    }
    const process = { ...like, argv: request.argv, env: envFor(like.env, terminal !== null) };
    session.send({ ...message, process });
  }

  /** What follows on its connection; false for what makes no sense there. */
  take(request: ControlRequest): boolean {
    if (request.type === 'resize') this.resize(request.rows, request.columns);
    else if (request.type === 'signal') this.signal(request.signal);
    else return false;
    return true;
  }

  resize(rows: number, columns: number): void {
    if (this.#streams.kind !== 'terminal') return;
    this.#session.send({ type: 'resize', stream: this.#streams.stream, rows, columns });
  }

  signal(signal: number): void {
    if (this.#early !== undefined) this.#early.push(signal);
    else this.#session.send({ type: 'signal', target: this.#id, signal });
  }

  #join(fds: readonly number[]): void {
    const { streams } = this.#session;
    const [stdin = -1, stdout = stdin, stderr = stdin] = fds;
    const plan = this.#streams;
    const done = () => this.#outputEnded();
    if (plan.kind === 'terminal') {
      streams.output(plan.stream, endpoint(stdin, 'write'), done);
      streams.input(plan.stream, endpoint(stdin, 'read'));
    } else {
      streams.output(plan.stdout, endpoint(stdout, 'write'), done);
      streams.output(plan.stderr, endpoint(stderr, 'write'), done);
      if (plan.stdin !== null) streams.input(plan.stdin, endpoint(stdin, 'read'));
    }
    for (const fd of fds) close(fd);
  }

  #started(pid: number): void {
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const signal of early) this.signal(signal);
    this.#caller.answer({ type: 'started', pid });
  }

  #failed(step: StartStep, message: string): void {
    this.#endInput();
    for (const stream of outputsOf(this.#streams)) this.#session.streams.forget(stream);
    this.#caller.answer({ type: 'failed', code: startFailureCode(step), message });
    this.#caller.finish();
  }

  #exited(code: number): void {
    this.#code = code;
    this.#endInput();
    this.#finish();
  }

  #outputEnded(): void {
    this.#openOutputs--;
    this.#finish();
  }

  /** Only when the caller has all of the output does it learn of the end. */
  #finish(): void {
    if (this.#code === undefined || this.#openOutputs > 0) return;
    this.#caller.answer({ type: 'exited', code: this.#code });
    this.#caller.finish();
  }

  #endInput(): void {
    const stream = this.#streams.kind === 'terminal' ? this.#streams.stream : this.#streams.stdin;
    if (stream !== null) this.#session.streams.endInput(stream);
  }
}

function refusalOf(
  session: Session,
  request: ExecRequest,
  fds: readonly number[],
  unknown: boolean,
): string | undefined {
  if (session.plan === undefined) return 'the pod is still starting';
  if (unknown && !session.plan.staysWhenEmpty) return `no app ${JSON.stringify(request.app)} in this pod`;
  if (!session.isRunning(request.app)) return `app ${request.app} is not running`;
  const wanted = terminalOf(request) === null ? 3 : 1;
  return fds.length === wanted ? undefined : `${fds.length} descriptors came with the request, not ${wanted}`;
}

function terminalOf(request: ExecRequest) {
  return request.type === 'exec' ? request.terminal : null;
}

function planStreams(session: Session, terminal: ReturnType<typeof terminalOf>): StreamsPlan {
  const { streams } = session;
  if (terminal !== null) return { kind: 'terminal', stream: streams.allocate(), ...terminal };
  return { kind: 'pipes', stdin: streams.allocate(), stdout: streams.allocate(), stderr: streams.allocate() };
}

function outputsOf(plan: StreamsPlan): number[] {
  return plan.kind === 'terminal' ? [plan.stream] : [plan.stdout, plan.stderr];
}

function envFor(env: readonly string[], terminal: boolean): readonly string[] {
  return terminal && !env.some((entry) => entry.startsWith('TERM=')) ? [...env, 'TERM=xterm'] : env;
}
