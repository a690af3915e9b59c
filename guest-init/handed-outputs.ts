import { Unpacker } from '../src/native/bytes.ts';
import { close } from '../src/native/files.ts';
import { receive } from '../src/native/messages.ts';
import { InitError } from './error.ts';

const MESSAGE_BYTES = 4;

/** The pipes that apps write their output to and the host reads by itself, where PID 1 shares a kernel with it. */
export class HandedOutputs {
  readonly #channel: number | undefined;

  constructor(channel: number | undefined) {
    this.#channel = channel;
  }

  /** Those of an app whose stdout has that number. Those of earlier numbers were for apps that have not come. */
  take(stream: number): readonly [stdout: number, stderr: number] {
    for (;;) {
      const { named, fds } = this.#receive(stream);
      if (named === stream) return fds;
      for (const fd of fds) close(fd);
      if (named > stream) throw new InitError('host', `outputs have come for stream ${named}, not ${stream}`);
    }
  }

  #receive(stream: number): { readonly named: number; readonly fds: readonly [number, number] } {
    const message = this.#channel === undefined ? undefined : receive(this.#channel, MESSAGE_BYTES, 2);
    const [stdout, stderr] = message?.fds ?? [];
    if (message?.bytes.length !== MESSAGE_BYTES || stdout === undefined || stderr === undefined)
      throw new InitError('host', `no outputs have come for stream ${stream}`);
    return { named: new Unpacker(message.bytes).u32(), fds: [stdout, stderr] };
  }

  /** Nobody will write there. */
  drop(stream: number): void {
    for (const fd of this.take(stream)) close(fd);
  }
}
