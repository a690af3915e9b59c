/** One connection: requests come, and each is answered before the next is looked at. */
import { concat } from '../src/native/bytes.ts';
import { utf8Encode } from '../src/native/engine.ts';
import { SystemError } from '../src/native/errors.ts';
import { close, readNow } from '../src/native/files.ts';
import { endSending } from '../src/native/inet-sockets.ts';
import type { Loop, Timer, Watch } from '../src/native/loop.ts';
import { sendNow } from '../src/native/messages.ts';
import { type HttpRequest, type Limits, RequestReader } from './http/request.ts';
import { CONTINUE, failure, formatResponse, type HttpResponse } from './http/response.ts';

/** Of all connections: what is read is copied before the next is. */
const BUFFER = new Uint8Array(16384);
/** For a request to be there as a whole, for an answer to be taken, and between two requests. */
const PATIENCE_MS = 10_000;

export interface Serving {
  readonly limits: Limits;
  readonly answer: (request: HttpRequest) => HttpResponse;
  readonly closed: () => void;
}

export class Connection {
  readonly #reader: RequestReader;
  readonly #watch: Watch;
  #output: Uint8Array = new Uint8Array(0);
  #isLast = false;
  #isOpen = true;
  #timer: Timer | undefined;

  /** Of a socket that does not block, and is closed with it. */
  constructor(
    private readonly loop: Loop,
    private readonly fd: number,
    private readonly serving: Serving,
  ) {
    this.#reader = new RequestReader(serving.limits);
    this.#watch = loop.watch(fd, {});
    this.#expect();
  }

  #expect(): void {
    this.#wait();
    this.#watch.update({ readable: () => this.#guarded(() => this.#receive()) });
  }

  #wait(): void {
    this.#timer?.cancel();
    this.#timer = this.loop.after(PATIENCE_MS, () => this.#close());
  }

  #receive(): void {
    const count = readNow(this.fd, BUFFER);
    if (count === undefined) return;
    if (count === 0) {
      this.#close();
      return;
    }
    this.#reader.push(BUFFER.subarray(0, count));
    this.#proceed();
  }

  #proceed(): void {
    const reading = this.#reader.next();
    switch (reading.kind) {
      case 'incomplete':
        return;
      case 'waiting':
        this.#send(utf8Encode(CONTINUE));
        return;
      case 'refused':
        this.#isLast = true;
        this.#send(
          formatResponse(failure(reading.status, reading.reason), { keepAlive: false, withBody: true }),
        );
        return;
      case 'request':
        this.#answer(reading.request);
        return;
      default:
        reading satisfies never;
    }
  }

  #answer(request: HttpRequest): void {
    const { keepAlive, method } = request;
    this.#isLast = !keepAlive;
    const response = this.serving.answer(request);
    this.#send(formatResponse(response, { keepAlive, withBody: method !== 'HEAD' }));
  }

  /** Nothing is read until it is taken: who asks and does not listen fills no memory. */
  #send(bytes: Uint8Array): void {
    this.#output = concat([this.#output, bytes]);
    this.#wait();
    this.#flush();
  }

  #flush(): void {
    const taken = sendNow(this.fd, this.#output) ?? 0;
    this.#output = this.#output.subarray(taken);
    if (this.#output.length > 0)
      this.#watch.update({ writable: () => this.#guarded(() => this.#flush()), hangup: () => this.#close() });
    else if (this.#isLast) this.#drain();
    else {
      this.#expect();
      // It may have sent the next already. Others have their turn before.
      this.loop.after(0, () => this.#guarded(() => this.#proceed()));
    }
  }

  /** A connection that is closed while something comes in takes the answer with it: what comes is read, for a while, and dropped. */
  #drain(): void {
    endSending(this.fd);
    const drop = () => {
      if (readNow(this.fd, BUFFER) === 0) this.#close();
    };
    this.#watch.update({ readable: () => this.#guarded(drop) });
  }

  /** Whoever is gone is not answered. */
  #guarded(action: () => void): void {
    if (!this.#isOpen) return;
    try {
      action();
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      this.#close();
    }
  }

  #close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#timer?.cancel();
    this.#watch.close();
    close(this.fd);
    this.serving.closed();
  }
}
