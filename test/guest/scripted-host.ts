import { type ChildProcess, spawn } from 'node:child_process';
import { Duplex } from 'node:stream';
import type { BootPlan } from '../../src/abi/boot-plan.ts';
import {
  type GuestMessage,
  type HostMessage,
  PROTOCOL_VERSION,
  parseGuestMessage,
} from '../../src/abi/guest.ts';
import type { Renewed } from '../../src/abi/saved-machine.ts';
import { FrameWire, PacketWire } from './wire.ts';

type MessageOf<T extends GuestMessage['type']> = Extract<GuestMessage, { type: T }>;

const NAMESPACES = [
  '--mount',
  '--pid',
  '--net',
  '--ipc',
  '--uts',
  '--fork',
  '--mount-proc',
  '--kill-child=SIGKILL',
];

const RENEWED = JSON.stringify({ type: 'renewed' } satisfies Renewed);

/** The host's half of a pod, in the hands of a test: PID 1 in namespaces of its own, its two channels ours. */
export class ScriptedHost implements AsyncDisposable {
  readonly messages: GuestMessage[] = [];
  readonly streams: FrameWire;
  /** What PID 1 said on its console. */
  console = '';
  readonly #child: ChildProcess;
  readonly #control: PacketWire;
  readonly #exit: Promise<number | null>;
  #waiting: (() => void)[] = [];
  #renewals = 0;

  /** `groups` are the directories of a control group that PID 1 may divide: `CONTROLLER=PATH`. */
  constructor(init: string, groups: readonly string[] = []) {
    const stdio = ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'] as const;
    this.#child = spawn('unshare', [...NAMESPACES, init, '--channel-fds', ...groups], { stdio: [...stdio] });
    this.#exit = new Promise((resolve) => this.#child.once('close', (code) => resolve(code)));
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.console += chunk.toString();
    });
    this.#control = new PacketWire(channel(this.#child, 3), (text) => this.#hear(text));
    this.streams = new FrameWire(channel(this.#child, 4), (stream, bytes) =>
      this.send({ type: 'credit', stream, bytes }),
    );
  }

  /** The path of the pod's network namespace. */
  get netns(): string {
    return `/proc/${this.#child.pid}/ns/net`;
  }

  /** Waits for the guest's first word, then sends the plan. */
  async boot(plan: BootPlan): Promise<void> {
    await this.next('hello');
    this.send({ type: 'boot', version: PROTOCOL_VERSION, plan });
  }

  /** After its end PID 1 is where it was after its first word. */
  async renew(): Promise<void> {
    await this.next('ended');
    const before = this.#renewals;
    this.send({ type: 'renew' });
    while (this.#renewals === before) {
      const exit = await Promise.race([this.#news(), this.#exit]);
      if (exit !== undefined) throw new Error(`PID 1 ended (${exit}); console:\n${this.console}`);
    }
    const [hello] = this.messages.filter(({ type }) => type === 'hello');
    this.messages.splice(0, Number.POSITIVE_INFINITY, ...(hello === undefined ? [] : [hello]));
  }

  send(message: HostMessage): void {
    this.#control.send(JSON.stringify(message));
  }

  /** Anything, as a host gone mad would send it. */
  sendText(text: string): void {
    this.#control.send(text);
  }

  sendBytes(bytes: Uint8Array): void {
    this.#control.write(bytes);
  }

  /** The first message of this type (about `id`), now or as soon as it comes. */
  async next<T extends GuestMessage['type']>(type: T, id?: string): Promise<MessageOf<T>> {
    for (;;) {
      const found = this.messages.find(
        (message): message is MessageOf<T> =>
          message.type === type && (id === undefined || ('id' in message && message.id === id)),
      );
      if (found !== undefined) return found;
      if (this.messages.some((message) => isLast(message, id)))
        throw new Error(`no ${type} of ${id ?? 'the pod'} in ${JSON.stringify(this.messages)}`);
      const exit = await Promise.race([this.#news(), this.#exit]);
      if (exit !== undefined && !this.messages.some((message) => message.type === type))
        throw new Error(`PID 1 ended (${exit}) before it said ${type}; console:\n${this.console}`);
    }
  }

  /** How the app or session ended: its code, or 128 + the signal. */
  async exitOf(id: string): Promise<number> {
    const { status } = await this.next('exited', id);
    return status.kind === 'exited' ? status.code : 128 + status.signal;
  }

  /** Waits for the pod's own end and lets it go; gives PID 1's exit code. */
  async finish(): Promise<number | null> {
    await this.next('ended');
    this.send({ type: 'power-off' });
    return this.gone();
  }

  /** PID 1's exit code. */
  gone(): Promise<number | null> {
    return this.#exit;
  }

  /** As a supervisor that died. */
  hangUp(): void {
    this.#control.destroy();
    this.streams.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null) this.#child.kill('SIGKILL');
    await this.#exit;
  }

  #news(): Promise<undefined> {
    return new Promise((resolve) => this.#waiting.push(() => resolve(undefined)));
  }

  #hear(text: string): void {
    // Of a pod's own machine it is rubbish.
    if (text === RENEWED) this.#renewals += 1;
    else this.#take(parseGuestMessage(JSON.parse(text)));
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  #take(message: GuestMessage): void {
    this.messages.push(message);
    if (message.type === 'credit') this.streams.granted(message.stream, message.bytes);
  }
}

function channel(child: ChildProcess, fd: number): Duplex {
  const stream = child.stdio[fd];
  if (!(stream instanceof Duplex)) throw new Error(`fd ${fd} is no socket pair`);
  return stream;
}

/** After which there is no use in waiting for more, about `id`. */
function isLast(message: GuestMessage, id: string | undefined): boolean {
  return (
    message.type === 'ended' || message.type === 'fatal' || (message.type === 'failed' && message.id === id)
  );
}
