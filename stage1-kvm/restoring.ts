/**
 * A saved machine becomes a pod's, in this order: QEMU is told what the state has; the memory is filled, which loading the state looks
 * at; the state is loaded; the share of files is plugged in, which QEMU cannot restore; the machine goes on, and PID 1 is woken.
 */
import type { HostMessage } from '../src/abi/guest.ts';
import { realtime } from '../src/native/clock.ts';
import { utf8Encode } from '../src/native/engine.ts';
import { writeNow } from '../src/native/files.ts';
import { randomBytes } from '../src/native/system.ts';
import { encodeBase64 } from '../src/supervisor/plan/base64.ts';
import type { Qmp } from './qmp.ts';
import { CAPABILITIES, SHARE_DEVICE } from './template-arguments.ts';

const ENTROPY_BYTES = 64;

export interface RestoringEvents {
  /** It goes on. */
  goesOn(): void;
  failed(reason: string): void;
}

export class Restoring {
  readonly #qmp: Qmp;
  readonly #stateFd: number;
  readonly #hasShare: boolean;
  readonly #events: RestoringEvents;

  /** `stateFd` is the state's, as QEMU has it. */
  constructor(qmp: Qmp, stateFd: number, hasShare: boolean, events: RestoringEvents) {
    this.#qmp = qmp;
    this.#stateFd = stateFd;
    this.#hasShare = hasShare;
    this.#events = events;
    this.#ask('migrate-set-capabilities', CAPABILITIES);
  }

  /** The memory is there. */
  filled(): void {
    this.#ask('migrate-incoming', { uri: `fd:${this.#stateFd}` });
  }

  /** QEMU's word for how far it is. */
  progress(status: string): void {
    if (status === 'failed') this.#events.failed('QEMU could not load the state');
    if (status !== 'completed') return;
    if (this.#hasShare) this.#ask('device_add', SHARE_DEVICE);
    this.#ask('cont', undefined, () => this.#events.goesOn());
  }

  #ask(command: string, given?: object, done = () => {}): void {
    this.#qmp.ask(
      command,
      (refusal) => (refusal === undefined ? done() : this.#events.failed(`${command}: ${refusal}`)),
      given,
    );
  }
}

/** Wakes the guest: nothing has been sent to it since it was restored, so its channel takes this at once. */
export function wake(control: number, hasMore: boolean): void {
  const message: HostMessage = {
    type: 'wake',
    entropy: encodeBase64(randomBytes(ENTROPY_BYTES)),
    clock: realtime(),
    hasMore,
  };
  const body = utf8Encode(JSON.stringify(message));
  const packet = new Uint8Array(4 + body.length);
  new DataView(packet.buffer).setUint32(0, body.length, true);
  packet.set(body, 4);
  writeNow(control, packet);
}
