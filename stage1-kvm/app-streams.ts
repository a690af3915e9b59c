import type { StreamsPlan } from '../src/abi/boot-plan.ts';
import type { Loop } from '../src/native/loop.ts';
import { endpoint, isOpen } from '../src/supervisor/endpoints.ts';
import { type Labels, Output } from '../src/supervisor/output.ts';
import type { Session } from '../src/supervisor/session.ts';
import { RawTerminal } from '../src/supervisor/terminal.ts';

const STDIN = 0;
const STDOUT = 1;

/**
 * Joins the apps' standard streams to the supervisor's own. Only with --interactive has an app an input, and a terminal if the
 * caller has one; otherwise its stdin is empty, as in rkt.
 */
export class AppStreams {
  readonly #loop: Loop;
  readonly #interactive: boolean;
  readonly #output: Output;
  #terminal: RawTerminal | undefined;
  readonly #inputs = new Map<string, number>();

  constructor(loop: Loop, interactive: boolean, severalApps: boolean) {
    this.#loop = loop;
    this.#interactive = interactive;
    this.#output = new Output(loop, severalApps);
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

  whenWritten(callback: () => void): void {
    this.#output.whenWritten(callback);
  }

  /** The caller's terminal is as it was. */
  close(): void {
    this.#terminal?.close();
    this.#terminal = undefined;
  }

  #joinTerminal(session: Session, { app }: Labels, terminal: RawTerminal): StreamsPlan {
    const { streams } = session;
    const stream = streams.allocate();
    this.#terminal = terminal;
    streams.output(stream, isOpen(STDOUT) ? endpoint(STDOUT, 'write') : null);
    streams.input(stream, endpoint(STDIN, 'read'));
    this.#inputs.set(app, stream);
    terminal.onResize(this.#loop, (window) => session.send({ type: 'resize', stream, ...window }));
    return { kind: 'terminal', stream, ...terminal.window };
  }

  #joinPipes({ streams }: Session, labels: Labels): StreamsPlan {
    const stdout = streams.allocate();
    const stderr = streams.allocate();
    streams.output(stdout, this.#output.stdout(labels));
    streams.output(stderr, this.#output.stderr(labels));
    const hasInput = this.#interactive && isOpen(STDIN);
    const stdin = hasInput ? streams.allocate() : null;
    if (stdin !== null) {
      streams.input(stdin, endpoint(STDIN, 'read'));
      this.#inputs.set(labels.app, stdin);
    }
    return { kind: 'pipes', stdin, stdout, stderr };
  }
}
