import type { StreamsPlan } from '../src/abi/boot-plan.ts';
import { FRAMES } from '../src/abi/frames.ts';
import type { HostMessage } from '../src/abi/guest.ts';
import { duplicateAbove } from '../src/native/descriptors.ts';
import { unless } from '../src/native/errors.ts';
import { close } from '../src/native/files.ts';
import type { Loop } from '../src/native/loop.ts';
import { Mux } from '../src/native/mux.ts';
import { openPipe } from '../src/native/pipes.ts';
import { setWindowSize, type WindowSize } from '../src/native/ptys.ts';
import type { Channels } from './ground.ts';
import { HandedOutputs } from './handed-outputs.ts';
import { type ChildStreams, inputOf, openStreams, outputsOf, type StreamEnd } from './streams.ts';

const FIRST_FREE_FD = 3;

export interface StreamEvents {
  /** The host may send so many more bytes of a stream. */
  credit(stream: number, bytes: number): void;
  /** Everything that can come to the host has been sent to its end. */
  drained(): void;
  /** The data channel is of no use any more. */
  broken(problem: Error): void;
}

/** Whose terminal it may be. */
interface Terminals {
  readonly streams: StreamsPlan;
  hasTerminal: boolean;
}

/** All streams of the pod, joined to the data channel. */
export class StreamTable {
  readonly #mux: Mux;
  readonly #events: StreamEvents;
  readonly #handed: HandedOutputs;
  readonly #open = new Set<number>();
  /** Our side of each terminal, to set its size. */
  readonly #terminals = new Map<number, number>();
  /** What size a terminal will have that is still to be made. */
  readonly #sizes = new Map<number, WindowSize>();

  constructor(loop: Loop, { data, outputs }: Pick<Channels, 'data' | 'outputs'>, events: StreamEvents) {
    this.#events = events;
    this.#handed = new HandedOutputs(outputs);
    const muxEvents = {
      credit: (stream: number, bytes: number) => events.credit(stream, bytes),
      sourceEnded: (stream: number) => this.#ended(stream),
      broken: (problem: Error) => events.broken(problem),
    };
    // The first typed bytes may overtake the message that says whose they are: it comes by the other channel.
    this.#mux = new Mux(loop, data, FRAMES, muxEvents, 'keep');
  }

  get drained(): boolean {
    return this.#open.size === 0;
  }

  /** Opens the streams of a process. Gives its side of them, which is the caller's to close. */
  open(plan: StreamsPlan): ChildStreams {
    const { ours, childs } = openStreams(plan, this.#handed);
    for (const end of ours) this.#attach(end);
    return childs;
  }

  #attach({ stream, direction, fd }: StreamEnd): void {
    if (direction === 'sink') {
      this.#mux.addSink(stream, fd);
      return;
    }
    this.#open.add(stream);
    this.#mux.addSource(stream, fd);
  }

  /** A terminal will be attached, or its stream ended; until then its changes of size are kept. */
  expectTerminal(stream: number, size: WindowSize): void {
    this.#sizes.set(stream, size);
  }

  /** One that the host has sent of a stream. */
  receive(message: Extract<HostMessage, { readonly type: 'credit' | 'close' | 'resize' }>): void {
    switch (message.type) {
      case 'credit':
        this.#mux.grant(message.stream, message.bytes);
        return;
      case 'close':
        // Nobody reads it any more: its writer is told by a signal, or an error, as in any pipeline.
        this.#mux.endSource(message.stream);
        return;
      case 'resize':
        this.#resize(message.stream, message);
        return;
      default:
        message satisfies never;
    }
  }

  /** What a process has made for itself, where it is to have one. */
  attachTerminalOf(task: Terminals, terminal: number): void {
    if (task.streams.kind !== 'terminal') return;
    this.attachTerminal(task.streams.stream, terminal);
    task.hasTerminal = true;
  }

  /** That will never be. */
  endTerminalOf({ streams, hasTerminal }: Terminals): void {
    if (streams.kind === 'terminal' && !hasTerminal) this.attachNothing(streams);
  }

  /** Both ways at once; typing ends with the host's end of the stream, output with the last program that has the terminal. */
  attachTerminal(stream: number, controller: number): void {
    this.#terminals.set(stream, duplicateAbove(controller, FIRST_FREE_FD));
    this.#attach({ stream, direction: 'sink', fd: duplicateAbove(controller, FIRST_FREE_FD) });
    this.#attach({ stream, direction: 'source', fd: controller });
    const size = this.#sizes.get(stream);
    this.#sizes.delete(stream);
    if (size !== undefined) this.#resize(stream, size);
  }

  /** The streams of a process that does not come to be: the host is told the end of each output, its bytes go nowhere. */
  attachNothing(plan: StreamsPlan): void {
    if (plan.kind === 'pipes' && plan.handed) this.#handed.drop(plan.stdout);
    for (const stream of outputsOf(plan)) {
      const pipe = openPipe({ nonBlocking: true });
      close(pipe.write);
      this.#attach({ stream, direction: 'source', fd: pipe.read });
    }
    const input = inputOf(plan);
    if (input === null) return;
    this.#sizes.delete(input);
    this.#mux.addSink(input, null);
  }

  /** A terminal that has gone meanwhile has no size any more. */
  #resize(stream: number, size: WindowSize): void {
    const terminal = this.#terminals.get(stream);
    if (terminal !== undefined) unless(['EIO'], () => setWindowSize(terminal, size));
    else if (this.#sizes.has(stream)) this.#sizes.set(stream, size);
  }

  #ended(stream: number): void {
    this.#open.delete(stream);
    const terminal = this.#terminals.get(stream);
    if (terminal !== undefined) {
      this.#terminals.delete(stream);
      close(terminal);
      // Nobody is left to read what is typed.
      this.#mux.discard(stream);
    }
    if (this.#open.size === 0) this.#events.drained();
  }
}
