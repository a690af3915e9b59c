import {
  GUEST_MESSAGE_MAX_BYTES,
  type GuestMessage,
  HOST_MESSAGE_MAX_BYTES,
  type HostMessage,
  parseGuestMessage,
} from '../abi/guest.ts';
import { AbiError } from '../abi/json.ts';
import { monotonicMilliseconds } from '../native/clock.ts';
import type { Loop } from '../native/loop.ts';
import { PacketChannel } from '../native/packets.ts';
import { channelError, SupervisorError } from './error.ts';
import { RateLimit } from './rate.ts';

export interface GuestChannelEvents {
  message(message: GuestMessage): void;
  /** No more messages will come; the channel has closed itself. */
  broken(problem: SupervisorError): void;
}

/** Far more than moving streams at full speed takes (a credit for every 64 KiB). */
const MESSAGES = { burst: 10_000, perSecond: 4000 };
/** Of lines that an operator is shown. */
const WARNINGS = { burst: 100, perSecond: 1 };

/** Each is written to the pod's directory. PID 1 waits before one, and longer before each next. */
const RESTARTS = { burst: 1000, perSecond: 20 };

/** The control channel to PID 1. Whoever is behind it may be hostile: it can lose its pod here, and nothing else. */
export class GuestChannel {
  readonly #packets: PacketChannel;
  readonly #events: GuestChannelEvents;
  readonly #messages = new RateLimit(MESSAGES.burst, MESSAGES.perSecond, monotonicMilliseconds());
  readonly #warnings = new RateLimit(WARNINGS.burst, WARNINGS.perSecond, monotonicMilliseconds());

  readonly #restarts = new RateLimit(RESTARTS.burst, RESTARTS.perSecond, monotonicMilliseconds());

  /** Takes the fd over. */
  constructor(loop: Loop, fd: number, events: GuestChannelEvents) {
    this.#events = events;
    const limits = { receiveBytes: GUEST_MESSAGE_MAX_BYTES, queueBytes: 2 * HOST_MESSAGE_MAX_BYTES };
    this.#packets = new PacketChannel(loop, fd, limits, {
      text: (text) => this.#take(text),
      broken: (cause) => events.broken(channelError('control', cause)),
    });
  }

  send(message: HostMessage): void {
    this.#packets.send(JSON.stringify(message));
  }

  close(): void {
    this.#packets.close();
  }

  #take(text: string): void {
    const message = this.#parse(text);
    if (message instanceof SupervisorError) {
      this.close();
      this.#events.broken(message);
    } else {
      this.#events.message(message);
    }
  }

  #parse(text: string): GuestMessage | SupervisorError {
    const now = monotonicMilliseconds();
    try {
      const message = parseGuestMessage(JSON.parse(text));
      return this.#isAllowed(message, now)
        ? message
        : new SupervisorError('guest-broken', 'the guest floods its control channel');
    } catch (cause) {
      if (!(cause instanceof AbiError || cause instanceof SyntaxError)) throw cause;
      return new SupervisorError('guest-broken', `the guest sent rubbish: ${cause.message}`, { cause });
    }
  }

  #isAllowed({ type }: GuestMessage, now: number): boolean {
    if (!this.#messages.take(now)) return false;
    if (type === 'warning') return this.#warnings.take(now);
    return type !== 'restarting' || this.#restarts.take(now);
  }
}
