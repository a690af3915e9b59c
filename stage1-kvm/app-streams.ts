import type { StreamsPlan } from '../src/abi/boot-plan.ts';
import type { LogStream } from '../src/abi/log.ts';
import type { Loop } from '../src/native/loop.ts';
import type { AppLogs } from '../src/supervisor/app-logs.ts';
import { Completion } from '../src/supervisor/completion.ts';
import { Distributor } from '../src/supervisor/distributor.ts';
import { endpoint, isOpen, takesOutput } from '../src/supervisor/endpoints.ts';
import { type Labels, Output } from '../src/supervisor/output.ts';
import type { Session } from '../src/supervisor/session.ts';
import { RawTerminal } from '../src/supervisor/terminal.ts';

const STDIN = 0;
const STDOUT = 1;

/**
 * Joins the apps' standard streams to the supervisor's own, and to their logs. Only with --interactive has an app an input, and a
 * terminal if the caller has one; otherwise its stdin is empty, as in rkt.
 */
export class AppStreams {
  readonly #loop: Loop;
  readonly #interactive: boolean;
  readonly #logs: AppLogs;
  readonly #writing = new Completion();
  readonly #output: Output;
  #terminal: RawTerminal | undefined;
  readonly #inputs = new Map<string, number>();
  readonly #distributors = new Set<Distributor>();

  constructor(loop: Loop, interactive: boolean, severalApps: boolean, logs: AppLogs) {
    this.#loop = loop;
    this.#interactive = interactive;
    this.#logs = logs;
    this.#output = new Output(loop, severalApps, this.#writing);
  }

  join(session: Session, labels: Labels): StreamsPlan {
    const terminal = this.#interactive ? RawTerminal.open(STDIN) : undefined;
    return terminal === undefined
      ? this.#joinPipes(session, labels)
      : this.#joinTerminal(session, labels, terminal);
  }

  /** An app that has ended reads no more: bytes typed from now on are the caller's again. */
  ended(session: Session, app: string): void {
    const input = this.#inputs.get(app);
    if (input !== undefined) session.streams.endInput(input);
    this.#inputs.delete(app);
  }

  /** Calls back once all output is in the logs, and with whoever wanted it. */
  whenWritten(callback: () => void): void {
    this.#writing.whenDone(callback);
  }

  /** The caller's terminal is as it was, and what has come so far is in the logs. */
  close(): void {
    for (const distributor of [...this.#distributors]) distributor.close();
    this.#terminal?.close();
    this.#terminal = undefined;
  }

  #joinTerminal(session: Session, { app }: Labels, terminal: RawTerminal): StreamsPlan {
    const stream = session.streams.allocate();
    this.#terminal = terminal;
    this.#distribute(session, stream, app, 'stdout', takesOutput(STDOUT) ? endpoint(STDOUT, 'write') : null);
    session.streams.input(stream, endpoint(STDIN, 'read'));
    this.#inputs.set(app, stream);
    terminal.onResize(this.#loop, (window) => session.send({ type: 'resize', stream, ...window }));
    return { kind: 'terminal', stream, ...terminal.window };
  }

  #joinPipes(session: Session, labels: Labels): StreamsPlan {
    const { streams } = session;
    const stdout = streams.allocate();
    const stderr = streams.allocate();
    this.#distribute(session, stdout, labels.app, 'stdout', this.#output.stdout(labels));
    this.#distribute(session, stderr, labels.app, 'stderr', this.#output.stderr(labels));
    const hasInput = this.#interactive && isOpen(STDIN);
    const stdin = hasInput ? streams.allocate() : null;
    if (stdin !== null) {
      streams.input(stdin, endpoint(STDIN, 'read'));
      this.#inputs.set(labels.app, stdin);
    }
    return { kind: 'pipes', stdin, stdout, stderr };
  }

  /** Sends an output into the app's log, and to `fd`, which is taken over. */
  #distribute({ streams }: Session, stream: number, app: string, name: LogStream, fd: number | null): void {
    const written = this.#writing.begin();
    const distributor = new Distributor(this.#loop, this.#logs.writer(app, name), () => {
      this.#distributors.delete(distributor);
      written();
    });
    this.#distributors.add(distributor);
    if (fd !== null)
      distributor.add(fd, (end) => {
        if (end === 'ended') return;
        // The log does not make up for the caller: as in any pipeline, the app is told that its reader is gone.
        distributor.end();
        streams.refuse(stream);
      });
    streams.output(stream, distributor.input);
  }
}
