/** The socket `ctl` in the pod's directory, through which commands reach a running pod. */
import {
  CONTROL_MESSAGE_MAX_BYTES,
  type ControlAnswer,
  type ControlRequest,
  parseControlRequest,
} from '../abi/control.ts';
import { AbiError } from '../abi/json.ts';
import { POD } from '../abi/pod-directory.ts';
import { utf8Decode, utf8Encode } from '../native/engine.ts';
import { SystemError, unless } from '../native/errors.ts';
import { close } from '../native/files.ts';
import type { Loop, Watch } from '../native/loop.ts';
import { receive, send } from '../native/messages.ts';
import { chmod, unlink } from '../native/paths.ts';
import { accept, listenAt, peerCredentials } from '../native/sockets.ts';
import { closeAll } from './streams.ts';

/** A connection as its request sees it. */
export interface Caller {
  answer(answer: ControlAnswer): void;
  /** Called once, when the caller is gone before `finish`. */
  onGone(callback: () => void): void;
  finish(): void;
}

export interface ControlHandler {
  /** `fds` are the handler's from here on. */
  request(request: ControlRequest, fds: readonly number[], caller: Caller): void;
}

const MOST_FDS = 3;
const MOST_CALLERS = 256;
const OWNER_ONLY = 0o600;
const ROOT = 0;

export class ControlServer {
  readonly #listening: number;
  readonly #watch: Watch;
  readonly #connections = new Set<Connection>();
  #closed = false;

  /**
   * In the pod's directory, by a relative path: the absolute one may be longer than an address holds. Takes callers of
   * the uid `owner`.
   */
  constructor(
    private readonly loop: Loop,
    private readonly handler: ControlHandler,
    private readonly owner = ROOT,
  ) {
    unless(['ENOENT'], () => unlink(POD.control));
    this.#listening = listenAt('seqpacket', { kind: 'path', path: POD.control }, { nonBlocking: true });
    chmod(POD.control, OWNER_ONLY);
    this.#watch = loop.watch(this.#listening, { readable: () => this.#accept() });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#watch.close();
    close(this.#listening);
    unless(['ENOENT'], () => unlink(POD.control));
    for (const connection of [...this.#connections]) connection.finish();
  }

  #accept(): void {
    const fd = accept(this.#listening, { nonBlocking: true });
    if (fd === undefined) return;
    // The mode of the socket says the same; this holds should somebody change it.
    if (peerCredentials(fd).uid !== this.owner || this.#connections.size >= MOST_CALLERS) {
      close(fd);
      return;
    }
    this.#connections.add(
      new Connection(this.loop, fd, this.handler, (connection) => this.#connections.delete(connection)),
    );
  }
}

class Connection implements Caller {
  readonly #fd: number;
  readonly #watch: Watch;
  readonly #handler: ControlHandler;
  readonly #closed: (connection: Connection) => void;
  #gone = () => {};
  #open = true;

  constructor(loop: Loop, fd: number, handler: ControlHandler, closed: (connection: Connection) => void) {
    this.#fd = fd;
    this.#handler = handler;
    this.#closed = closed;
    this.#watch = loop.watch(fd, { readable: () => this.#read() });
  }

  answer(answer: ControlAnswer): void {
    if (!this.#open) return;
    // A caller that does not read its answers is none.
    try {
      if (send(this.#fd, utf8Encode(JSON.stringify(answer))) === undefined) this.#hangUp();
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      this.#hangUp();
    }
  }

  onGone(callback: () => void): void {
    this.#gone = callback;
  }

  finish(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#watch.close();
    close(this.#fd);
    this.#closed(this);
  }

  #hangUp(): void {
    this.finish();
    this.#gone();
  }

  #read(): void {
    const received = unless(['ECONNRESET'], () => receive(this.#fd, CONTROL_MESSAGE_MAX_BYTES, MOST_FDS));
    if (received === undefined || received.bytes.length === 0) {
      this.#hangUp();
      return;
    }
    const request = received.truncated ? 'the request is too large' : parseRequest(received.bytes);
    if (typeof request === 'string') {
      closeAll(received.fds);
      this.answer({ type: 'refused', message: request });
      this.finish();
    } else {
      this.#handler.request(request, received.fds, this);
    }
  }
}

/** The request, or what is wrong with it. */
function parseRequest(bytes: Uint8Array): ControlRequest | string {
  try {
    return parseControlRequest(JSON.parse(utf8Decode(bytes)));
  } catch (error) {
    if (error instanceof AbiError || error instanceof SyntaxError) return error.message;
    throw error;
  }
}
