import type { Endpoint } from '../../abi/attach.ts';
import type { StreamsPlan } from '../../abi/boot-plan.ts';
import type { LogStream } from '../../abi/log.ts';
import { DEFAULT_MODES, type StreamModes } from '../../abi/stream-modes.ts';
import type { Loop } from '../../native/loop.ts';
import type { AppLogs } from '../app-logs.ts';
import type { AppEndpoints } from '../attach-session.ts';
import { Completion } from '../completion.ts';
import { Distributor } from '../distributor.ts';
import { endpoint, isOpen, takesOutput } from '../endpoints.ts';
import { SupervisorError } from '../error.ts';
import type { LogWriter } from '../log-writer.ts';
import { type Labels, Output } from '../output.ts';
import type { Session } from '../session.ts';
import { StreamInput } from '../stream-input.ts';
import { RawTerminal } from '../terminal.ts';

const STDIN = 0;
const STDOUT = 1;
/** Of a terminal that nobody has attached to yet. */
const WINDOW = { rows: 24, columns: 80 };

/** How an output comes: framed, by its number, or out of a pipe that the app has the other end of. */
interface OutputWay {
  readonly name: LogStream;
  readonly stream: number;
  readonly feed?: number | undefined;
}

/** The ends of an app's streams on this side. */
class AppEnds implements AppEndpoints {
  readonly inputs = new Map<Endpoint, StreamInput>();
  readonly outputs = new Map<Endpoint, Distributor>();
  /** Set where whoever attaches has the terminal. */
  terminal: number | undefined;
  /** The stream that the app reads from. */
  input: number | undefined;
  /** What of its output is still to be written. */
  readonly writing = new Completion();

  close(): void {
    for (const output of this.outputs.values()) output.close();
  }
}

/**
 * Joins the apps' standard streams to their logs, to the supervisor's own, and to whoever attaches to them. An app has an input with
 * --interactive, and a terminal then if the caller has one; or as its stream modes say. Otherwise its stdin is empty, as in rkt.
 */
export class AppStreams {
  readonly #loop: Loop;
  readonly #interactive: boolean;
  readonly #logs: AppLogs;
  readonly #writing = new Completion();
  readonly #output: Output;
  #terminal: RawTerminal | undefined;
  readonly #ends = new Map<string, AppEnds>();
  readonly #distributors = new Set<Distributor>();

  constructor(loop: Loop, interactive: boolean, severalApps: boolean, logs: AppLogs) {
    this.#loop = loop;
    this.#interactive = interactive;
    this.#logs = logs;
    this.#output = new Output(loop, severalApps, this.#writing);
  }

  /** @throws SupervisorError `unsupported` for modes that do not go with --interactive */
  join(session: Session, labels: Labels, modes: StreamModes): StreamsPlan {
    // Of an app that is started again: no log has two writers.
    this.#ends.get(labels.app)?.close();
    const ends = new AppEnds();
    this.#ends.set(labels.app, ends);
    if (this.#interactive) refuseModes(labels.app, modes);
    const caller = this.#interactive ? RawTerminal.open(STDIN) : undefined;
    if (caller !== undefined) return this.#joinCaller(session, labels, ends, caller);
    return modes.kind === 'terminal'
      ? this.#joinTerminal(session, labels, ends)
      : this.#joinPipes(session, labels, ends, modes);
  }

  endpointsOf(app: string): AppEndpoints | undefined {
    return this.#ends.get(app);
  }

  /** An app that has ended reads no more: bytes typed from now on are the caller's again. */
  ended(session: Session, app: string): void {
    const ends = this.#ends.get(app);
    if (ends?.input !== undefined) session.streams.endInput(ends.input);
    for (const input of ends?.inputs.values() ?? []) input.close();
  }

  /** Calls back once all output of an app is in its logs, and with whoever wanted it. */
  whenWrittenOf(app: string, callback: () => void): void {
    const ends = this.#ends.get(app);
    if (ends === undefined) callback();
    else ends.writing.whenDone(callback);
  }

  /** As `whenWrittenOf`, of all apps. */
  whenWritten(callback: () => void): void {
    this.#writing.whenDone(callback);
  }

  /** The caller's terminal is as it was, and what has come so far is in the logs. */
  close(): void {
    for (const distributor of [...this.#distributors]) distributor.close();
    this.#terminal?.close();
    this.#terminal = undefined;
  }

  /** The terminal is the caller's: others may look on. */
  #joinCaller(session: Session, { app }: Labels, ends: AppEnds, terminal: RawTerminal): StreamsPlan {
    const stream = session.streams.allocate();
    this.#terminal = terminal;
    const output = this.#distribute(
      session,
      app,
      { name: 'stdout', stream },
      takesOutput(STDOUT) ? endpoint(STDOUT, 'write') : null,
    );
    ends.outputs.set('tty-out', output);
    session.streams.input(stream, endpoint(STDIN, 'read'));
    ends.input = stream;
    terminal.onResize(this.#loop, (window) => session.send({ type: 'resize', stream, ...window }));
    return { kind: 'terminal', stream, ...terminal.window };
  }

  /** Its output is taken whether somebody is there or not. */
  #joinTerminal(session: Session, { app }: Labels, ends: AppEnds): StreamsPlan {
    const stream = session.streams.allocate();
    ends.outputs.set('tty-out', this.#distribute(session, app, { name: 'stdout', stream }, null));
    this.#openInput(session, stream, ends, 'tty-in');
    ends.terminal = stream;
    return { kind: 'terminal', stream, ...WINDOW };
  }

  #joinPipes(
    session: Session,
    labels: Labels,
    ends: AppEnds,
    modes: Extract<StreamModes, { kind: 'pipes' }>,
  ): StreamsPlan {
    const stdin = this.#joinInput(session, ends, modes.stdin);
    const [stdout, stderr] = [session.streams.allocate(), session.streams.allocate()];
    const handed = session.streams.hand(stdout);
    const join = (name: LogStream, stream: number) =>
      this.#joinOutput(session, labels, ends, { name, stream, feed: handed?.[name] }, modes[name]);
    join('stdout', stdout);
    join('stderr', stderr);
    return { kind: 'pipes', stdin, stdout, stderr, ...(handed && { handed: true }) };
  }

  #joinInput(session: Session, ends: AppEnds, mode: 'null' | 'stream'): number | null {
    const isCallers = this.#interactive && isOpen(STDIN);
    if (!isCallers && mode === 'null') return null;
    const stream = session.streams.allocate();
    if (isCallers) session.streams.input(stream, endpoint(STDIN, 'read'));
    else this.#openInput(session, stream, ends, 'stdin');
    ends.input = stream;
    return stream;
  }

  #openInput(session: Session, stream: number, ends: AppEnds, name: Endpoint): void {
    const input = new StreamInput(this.#loop);
    ends.inputs.set(name, input);
    ends.input = stream;
    session.streams.input(stream, input.output);
  }

  #joinOutput(
    session: Session,
    labels: Labels,
    ends: AppEnds,
    way: OutputWay,
    mode: 'log' | 'null' | 'stream',
  ): void {
    if (mode === 'null') {
      if (way.feed === undefined) session.streams.output(way.stream, null);
      else this.#begin(labels.app, undefined, way.feed);
      return;
    }
    const fd = mode === 'log' ? this.#output[way.name](labels) : null;
    ends.outputs.set(way.name, this.#distribute(session, labels.app, way, fd));
  }

  /** Sends an output into the app's log, and to `fd`, which is taken over. */
  #distribute(
    { streams }: Session,
    app: string,
    { name, stream, feed }: OutputWay,
    fd: number | null,
  ): Distributor {
    const distributor = this.#begin(app, this.#logs.writer(app, name), feed);
    if (fd !== null)
      distributor.add(fd, (end) => {
        if (end === 'ended') return;
        // The log does not make up for the caller: as in any pipeline, the app is told that its reader is gone.
        distributor.end();
        if (feed === undefined) streams.refuse(stream);
      });
    if (feed === undefined) streams.output(stream, distributor.input);
    return distributor;
  }

  #begin(app: string, log: LogWriter | undefined, feed: number | undefined): Distributor {
    const written = [this.#writing.begin(), this.#ends.get(app)?.writing.begin()];
    const ended = () => {
      this.#distributors.delete(distributor);
      for (const done of written) done?.();
    };
    const distributor: Distributor = new Distributor(this.#loop, log, ended, feed);
    this.#distributors.add(distributor);
    return distributor;
  }
}

function refuseModes(app: string, modes: StreamModes): void {
  const isDefault =
    modes.kind === 'pipes' &&
    modes.stdin === DEFAULT_MODES.stdin &&
    modes.stdout === DEFAULT_MODES.stdout &&
    modes.stderr === DEFAULT_MODES.stderr;
  if (!isDefault)
    throw new SupervisorError('unsupported', `app ${app}: its stream modes do not go with --interactive`);
}
