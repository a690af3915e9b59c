import { Packer } from '../native/bytes.ts';
import { setNonBlocking, setPipeSize } from '../native/descriptors.ts';
import { unless } from '../native/errors.ts';
import { close } from '../native/files.ts';
import { send } from '../native/messages.ts';
import { chown } from '../native/paths.ts';
import { openPipe, type Pipe } from '../native/pipes.ts';

/** What an app can be ahead. Where the host allows no such pipes, they stay as they are. */
const PIPE_BYTES = 1 << 20;
/** PID 1 is gone, or so many fds are on their way to it that the kernel takes no more. */
const REFUSALS = ['EPIPE', 'ECONNRESET', 'ETOOMANYREFS'];

/** The ends of an app's outputs that are read. */
export interface HandedOutputs {
  readonly stdout: number;
  readonly stderr: number;
}

/**
 * The way into namespaces for the pipes that apps write their output to: what they write is here at once, PID 1 has no part in it. The
 * pipes are made on this side, so that nothing of a pod's is ever taken for one.
 */
export class OutputChannel {
  readonly #fd: number;
  readonly #owner: number;
  #isOpen = true;

  /** Takes the fd over, which does not block. `owner`: the id of the pod's root on the host. */
  constructor(fd: number, owner: number) {
    this.#fd = fd;
    this.#owner = owner;
  }

  /** Hands over pipes for an app whose stdout has that number; undefined when PID 1 cannot take more now. */
  hand(stream: number): HandedOutputs | undefined {
    if (!this.#isOpen) return undefined;
    const pipes = [this.#open(), this.#open()] as const;
    const bytes = new Packer(4).u32(stream).finish();
    const writes = pipes.map(({ write }) => write);
    const isSent = unless(REFUSALS, () => send(this.#fd, bytes, writes)) !== undefined;
    // Their end is only seen when nobody else can write.
    for (const fd of writes) close(fd);
    const [{ read: stdout }, { read: stderr }] = pipes;
    if (isSent) return { stdout, stderr };
    for (const fd of [stdout, stderr]) close(fd);
    return undefined;
  }

  close(): void {
    if (this.#isOpen) close(this.#fd);
    this.#isOpen = false;
  }

  /** PID 1 gives it to the app's user, which it can only do with what belongs to users of its own. */
  #open(): Pipe {
    const pipe = openPipe();
    setNonBlocking(pipe.read, true);
    unless(['EPERM'], () => setPipeSize(pipe.read, PIPE_BYTES));
    if (this.#owner !== 0) chown(pipe.write, this.#owner, this.#owner);
    return pipe;
  }
}
