import {
  type GuestMessage,
  HOST_MESSAGE_MAX_BYTES,
  type HostMessage,
  parseHostMessage,
} from '../src/abi/guest.ts';
import type { Rehearsed, Renewed } from '../src/abi/saved-machine.ts';
import type { Loop } from '../src/native/loop.ts';
import { PacketChannel } from '../src/native/packets.ts';
import { during } from './error.ts';

/** Ten thousand messages that the host has not read: it never will. */
const QUEUE_BYTES = 4 * 1024 * 1024;
/** Leaves room for the rest of a message whose text is cut. */
const TEXT_MAX = 8192;

export interface HostEvents {
  message(message: HostMessage): void;
  /** The host has closed the channel, or does not read it. */
  lost(): void;
}

/** The control channel, PID 1's side. */
export class HostChannel {
  readonly #packets: PacketChannel;

  constructor(loop: Loop, fd: number, events: HostEvents) {
    const limits = { receiveBytes: HOST_MESSAGE_MAX_BYTES, queueBytes: QUEUE_BYTES };
    this.#packets = new PacketChannel(loop, fd, limits, {
      text: (text) => events.message(during('host', () => parseHostMessage(JSON.parse(text)))),
      broken: () => events.lost(),
    });
  }

  send(message: GuestMessage | Rehearsed | Renewed): void {
    this.#packets.send(JSON.stringify('message' in message ? cut(message) : message));
  }

  get sent(): boolean {
    return this.#packets.sent;
  }
}

/** An image can make texts (paths, first lines of scripts) as long as it likes; the host caps them. */
function cut<M extends { readonly message: string }>(message: M): M {
  return message.message.length > TEXT_MAX
    ? { ...message, message: `${message.message.slice(0, TEXT_MAX)}...` }
    : message;
}
