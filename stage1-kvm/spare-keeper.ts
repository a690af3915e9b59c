/** A spare machine from its start to the end of whoever has it. */
import type { BootPlan } from '../src/abi/boot-plan.ts';
import { type HostMessage, PROTOCOL_VERSION, parseGuestMessage } from '../src/abi/guest.ts';
import type { Renewed } from '../src/abi/saved-machine.ts';
import { SPARE } from '../src/abi/spares.ts';
import { duplicateAbove, setNonBlocking } from '../src/native/descriptors.ts';
import { close, readNow } from '../src/native/files.ts';
import type { Loop } from '../src/native/loop.ts';
import { PacketChannel } from '../src/native/packets.ts';
import { unlink } from '../src/native/paths.ts';
import { type Exit, getpid, openProcess } from '../src/native/processes.ts';
import { accept, listenAt, peerCredentials } from '../src/native/sockets.ts';
import { statIfPresent } from '../src/native/stat.ts';
import type { Report } from '../src/supervisor/report.ts';
import { Messages } from '../src/supervisor/running/messages.ts';
import { KvmError } from './error.ts';
import type { InterfaceFds } from './interface-arguments.ts';
import type { MachineSetup } from './machine-setup.ts';
import type { Member } from './members.ts';
import { beginMovingProcesses, moveTaps } from './moving.ts';
import { Qmp } from './qmp.ts';
import { Restoring, wake } from './restoring.ts';
import { HANDED, type HandedFile, hear, type Offer, readAnswer, tell } from './spare-protocol.ts';
import type { Slot } from './spare-store.ts';
import { deviceFds, startMachine, stateFd } from './starting.ts';
import { closeTemplate, type TemplateKind } from './template-store.ts';
import { type Channels, closeAll } from './wires.ts';

export interface Kept {
  readonly kind: TemplateKind;
  readonly slot: Slot;
  /** It waits so long. */
  readonly seconds: number;
  readonly setup: MachineSetup;
  readonly interfaces: readonly InterfaceFds[];
  readonly scratch: number;
  readonly channels: Channels;
  /** The machine is of no use to anybody when this has gone. */
  readonly templateRecord: string;
  /** Of what its guest, with this kernel, goes through first. */
  plan(kernel: string): BootPlan;
}

/** For all of it, on a host under load. */
const PATIENCE_SECONDS = 120;
/** Between two looks whether its template is still there. */
const LOOK_MS = 2000;
const MESSAGE_BYTES = 65536;
const LAST_LINES = 10;
/** Until QEMU has said all that it says unasked. */
const QUIET_MS = 50;
const RENEWED = JSON.stringify({ type: 'renewed' } satisfies Renewed);

export class Keeper {
  readonly #loop: Loop;
  readonly #report: Report;
  readonly #kept: Kept;
  readonly #qemu: Member;
  readonly #qmp: Qmp;
  readonly #guest: PacketChannel;
  readonly #words: readonly Messages[];
  readonly #handed: readonly number[];
  readonly #template: number | undefined;
  /** Whoever has it. */
  #taker: number | undefined;
  #isReady = false;
  #problem: string | undefined;

  constructor(loop: Loop, report: Report, kept: Kept) {
    this.#loop = loop;
    this.#report = report;
    this.#kept = kept;
    this.#template = statIfPresent(kept.templateRecord)?.inode;
    const { setup, channels } = kept;
    const { own, members } = startMachine(setup, 'restored', channels);
    if (setup.template !== undefined) closeTemplate(setup.template);
    const [qemu] = members;
    if (qemu === undefined) throw new TypeError('a machine has a QEMU');
    this.#qemu = qemu;
    qemu.watch(loop, (exit) => this.#ended(exit));
    const files: Readonly<Record<HandedFile, number>> = {
      ...own,
      ...{ control: channels.control.own, controlTheirs: channels.control.theirs },
      ...{ data: channels.data.own, dataTheirs: channels.data.theirs },
      scratch: kept.scratch,
      process: openProcess(qemu.pid),
    };
    // What is used here is closed by who uses it.
    this.#handed = [
      ...HANDED.map((name) => duplicateAbove(files[name], 3)),
      ...kept.interfaces.flatMap(({ taps, vhosts }) =>
        [...taps, ...vhosts].map((fd) => duplicateAbove(fd, 3)),
      ),
    ];
    const { data, control } = channels;
    closeAll([data.own, data.theirs, control.theirs, files.process, ...deviceFds(setup)]);
    this.#words = [own.console, own.qemuMessages].map(
      (fd) => new Messages(loop, fd, MESSAGE_BYTES, undefined),
    );
    close(own.shareMessages);
    this.#guest = new PacketChannel(
      loop,
      channels.control.own,
      { receiveBytes: MESSAGE_BYTES, queueBytes: MESSAGE_BYTES },
      { text: (text) => this.#heard(text), broken: ({ message }) => this.#fail(message) },
    );
    this.#qmp = new Qmp(loop, own.qmp, {
      shutdown: (reason) => this.#fail(`the guest ended: ${reason}`),
      stopped: (status) => this.#fail(`qemu stopped the guest: ${status}`),
      migration: (status) => restoring.progress(status),
    });
    const restoring = new Restoring(this.#qmp, stateFd(setup), false, {
      goesOn: () => wake(channels.control.own, false),
      failed: (reason) => this.#fail(reason),
    });
    restoring.filled();
    loop.after(PATIENCE_SECONDS * 1000, () => {
      if (!this.#isReady) this.#fail(`it was not ready within ${PATIENCE_SECONDS} seconds`);
    });
  }

  /** @throws KvmError for one that does not become ready */
  run(): void {
    this.#loop.run();
    if (this.#problem !== undefined) throw new KvmError('vessel-failed', this.#problem);
  }

  #fail(reason: string): void {
    if (this.#isReady) return;
    this.#problem ??= [reason, ...this.#words.flatMap((words) => words.lastLines(LAST_LINES))].join('; ');
    this.#qemu.kill();
  }

  #ended(exit: Exit): void {
    this.#fail('qemu ended');
    if (this.#taker !== undefined) tell(this.#taker, { type: 'ended', exit });
    this.#loop.stop();
  }

  #heard(text: string): void {
    if (text === RENEWED) {
      this.#guest.close();
      this.#rest();
      return;
    }
    const message = parseGuestMessage(JSON.parse(text));
    switch (message.type) {
      case 'hello':
        this.#order({ type: 'boot', version: PROTOCOL_VERSION, plan: this.#kept.plan(message.kernel) });
        return;
      case 'fatal':
        this.#fail(message.message);
        return;
      case 'failed':
        this.#fail(`${message.step}: ${message.message}`);
        return;
      case 'ended':
        this.#order({ type: 'renew' });
        return;
      default:
        // How the app is.
        this.#report.step(`guest: ${text}`);
    }
  }

  #order(message: HostMessage): void {
    this.#guest.send(JSON.stringify(message));
  }

  /** Whoever takes it starts with channels on which nothing is left to hear. */
  #rest(): void {
    const next = (then: () => void) => (refusal: string | undefined) =>
      refusal === undefined ? then() : this.#fail(refusal);
    this.#qmp.pause(
      next(() => {
        this.#loop.after(QUIET_MS, () =>
          this.#qmp.ask(
            'query-name',
            next(() => this.#wait()),
          ),
        );
      }),
    );
  }

  #wait(): void {
    this.#isReady = true;
    this.#qmp.close();
    for (const words of this.#words) words.close();
    drain(this.#file('data'));
    const { seconds } = this.#kept;
    const listener = listenAt('seqpacket', { kind: 'path', path: SPARE.socket }, { nonBlocking: true });
    const watch = this.#loop.watch(listener, {
      readable: () => {
        const taker = accept(listener);
        if (taker === undefined) return;
        if (peerCredentials(taker).uid !== 0) {
          close(taker);
          return;
        }
        watch.close();
        unlink(SPARE.socket);
        close(listener);
        this.#offer(taker);
      },
    });
    this.#report.step('a spare machine waits');
    this.#look();
    this.#loop.after(seconds * 1000, () => this.#giveUp());
  }

  #file(name: HandedFile): number {
    return this.#handed[HANDED.indexOf(name)] ?? -1;
  }

  #look(): void {
    const now = statIfPresent(this.#kept.templateRecord)?.inode;
    if (now === undefined || now !== this.#template) this.#giveUp();
    else if (this.#taker === undefined) this.#loop.after(LOOK_MS, () => this.#look());
  }

  #giveUp(): void {
    if (this.#taker === undefined) this.#qemu.kill();
  }

  #offer(taker: number): void {
    this.#taker = taker;
    const { kind, setup, interfaces } = this.#kept;
    const [first] = interfaces;
    const offer: Offer = {
      ...{ type: 'offer', facts: kind.facts, pid: this.#qemu.pid, id: setup.id },
      ...{ interfaces: interfaces.length, taps: first?.taps.length ?? 0, vhosts: first?.vhosts.length ?? 0 },
    };
    if (!tell(taker, offer, this.#handed)) this.#qemu.kill();
    closeAll(this.#handed);
    this.#loop.watch(taker, { readable: () => this.#answered(taker) });
  }

  #answered(taker: number): void {
    const received = hear(taker, 0);
    const answer = received === undefined ? undefined : readAnswer(received);
    const [network] = received?.fds ?? [];
    if (answer?.type === 'take' && network !== undefined) this.#taken(taker, answer.groups, network);
    else this.#qemu.kill();
  }

  /** Its place is free for the next one. */
  #taken(taker: number, groups: readonly string[], network: number): void {
    const grouped = beginMovingProcesses(groups, [this.#qemu.pid, getpid()]);
    const refusal = moveTaps(network, this.#kept.interfaces.length);
    close(network);
    this.#kept.slot.leave();
    tell(taker, { type: 'taken', problem: refusal ?? grouped() });
  }
}

/** What its guest has said as somebody else. */
function drain(fd: number): void {
  setNonBlocking(fd, true);
  const buffer = new Uint8Array(4096);
  while ((readNow(fd, buffer) ?? 0) > 0) {}
}
