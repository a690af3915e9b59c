import { FRAMES } from '../abi/frames.ts';
import type { HostMessage } from '../abi/guest.ts';
import { close } from '../native/files.ts';
import type { Loop } from '../native/loop.ts';
import { Mux } from '../native/mux.ts';
import { channelError, type SupervisorError } from './error.ts';
import type { HandedOutputs, OutputChannel } from './output-channel.ts';

export interface DataChannels {
  readonly data: number;
  /** Where outputs need no frames. */
  readonly outputs?: OutputChannel | undefined;
}

export interface StreamsEvents {
  /** To PID 1, on the control channel. */
  send(message: HostMessage): void;
  broken(problem: SupervisorError): void;
}

/** The byte streams between the pod and the world, and whether all that came out of the pod has been passed on. */
export class Streams {
  readonly #mux: Mux;
  readonly #handing: OutputChannel | undefined;
  readonly #send: (message: HostMessage) => void;
  /** Outputs that are not at their end yet, each with who waits for that. */
  readonly #outputs = new Map<number, () => void>();
  #waiting: (() => void)[] = [];
  #next = 1;

  /** Takes the channels over. */
  constructor(loop: Loop, { data, outputs }: DataChannels, events: StreamsEvents) {
    this.#handing = outputs;
    this.#send = (message) => events.send(message);
    this.#mux = new Mux(loop, data, FRAMES, {
      credit: (stream, bytes) => events.send({ type: 'credit', stream, bytes }),
      sinkRefused: (stream) => events.send({ type: 'close', stream }),
      sinkEnded: (stream) => this.#ended(stream),
      broken: (cause) => events.broken(channelError('data', cause)),
    });
  }

  /** A number for a new stream. */
  allocate(): number {
    return this.#next++;
  }

  /** Bytes from the pod go to `fd`, which is taken over; null: to nowhere. `done` when the last one is there. */
  output(stream: number, fd: number | null, done: () => void = () => {}): void {
    this.#outputs.set(stream, done);
    this.#mux.addSink(stream, fd);
  }

  /** Pipes for the outputs of an app, the first of which is `stream`: who has them reads what it writes. Undefined: it comes framed. */
  hand(stream: number): HandedOutputs | undefined {
    return this.#handing?.hand(stream);
  }

  /** Bytes of `fd`, which is taken over, go into the pod. */
  input(stream: number, fd: number): void {
    this.#mux.addSource(stream, fd);
  }

  /** Nobody in the pod reads it any more. */
  endInput(stream: number): void {
    this.#mux.endSource(stream);
  }

  /** Whoever read this output is gone: what still comes of it goes nowhere, and its writer gets an error. */
  refuse(stream: number): void {
    this.#mux.discard(stream);
    this.#send({ type: 'close', stream });
  }

  /** A process that never started has no streams on its side that could end. */
  forget(stream: number): void {
    this.#mux.discard(stream);
    this.#ended(stream);
  }

  grant(stream: number, bytes: number): void {
    this.#mux.grant(stream, bytes);
  }

  /** Calls back once every output has been passed on to its end; at once if that is so already. */
  whenDrained(callback: () => void): void {
    this.#waiting.push(callback);
    this.#check();
  }

  close(): void {
    this.#mux.close();
    this.#handing?.close();
  }

  #ended(stream: number): void {
    const done = this.#outputs.get(stream);
    this.#outputs.delete(stream);
    done?.();
    this.#check();
  }

  #check(): void {
    if (this.#outputs.size > 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const callback of waiting) callback();
  }
}

/** For fds that came with a request that is refused. */
export function closeAll(fds: readonly number[]): void {
  for (const fd of fds) close(fd);
}
