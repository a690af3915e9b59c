import { monotonicMilliseconds } from '../src/native/clock.ts';
import { setNonBlocking } from '../src/native/descriptors.ts';
import { SystemError } from '../src/native/errors.ts';
import { close, duplicate, open, open_, readNow } from '../src/native/files.ts';
import type { Loop, Timer } from '../src/native/loop.ts';
import { fstat } from '../src/native/stat.ts';
import { wakeQueue } from '../src/native/taps.ts';
import type { Vessel, VesselEvents } from '../src/supervisor/running/vessel.ts';
import type { Accelerator } from './accelerator.ts';
import { Attempt, type Filling, type ShowLine } from './attempt.ts';
import { KvmError } from './error.ts';
import type { MachineSetup } from './machine-setup.ts';
import type { MachineParts } from './members.ts';
import { type RestoringEvents, wake } from './restoring.ts';
import { type Beginning, deviceFds, MEMORY_PLACE, mapsTemplate, startMachine } from './starting.ts';
import { fillMemory, mountMemoryFile, unmountMemoryFile } from './template-memory.ts';
import { closeTemplate, markUsed, type OpenTemplate } from './template-store.ts';
import { type Channels, closeAll, connectChannels } from './wires.ts';

/** For a machine that was saved to be heard of. A start of its own takes longer, and is what follows. */
const RESTORE_SECONDS: Readonly<Record<Accelerator, number>> = { kvm: 5, tcg: 20 };

/**
 * A running virtual machine. Where there is a saved one, or a spare, it begins as that; whatever goes wrong before its guest is heard of is made good by a
 * start of its own, to which the channels, interfaces and disks are handed on.
 */
export class Machine implements Vessel {
  readonly channels: { readonly control: number; readonly data: number };
  readonly #loop: Loop;
  readonly #setup: MachineSetup;
  readonly #showLine: ShowLine;
  readonly #events: VesselEvents;
  readonly #note: (what: string) => void;
  readonly #wires: Channels;
  #attempt: Attempt;
  #deadline: Timer | undefined;
  #wentOn = 0;
  /** `restoring`: until the guest has been heard of; `replacing`: until all of that attempt is gone. */
  #state: 'restoring' | 'replacing' | 'settled' | 'ending';

  /** `note` is told what people may want to know of its start. */
  constructor(
    loop: Loop,
    setup: MachineSetup,
    showLine: ShowLine,
    note: (what: string) => void,
    events: VesselEvents,
  ) {
    this.#loop = loop;
    this.#setup = setup;
    this.#showLine = showLine;
    this.#note = note;
    this.#events = events;
    this.#wires = setup.spare?.channels ?? connectChannels();
    this.channels = { control: this.#wires.control.own, data: this.#wires.data.own };
    const { spare, template } = setup;
    const filling = spare !== undefined || template === undefined ? undefined : this.#fill(template);
    this.#state = spare === undefined && filling === undefined ? 'settled' : 'restoring';
    if (spare !== undefined) {
      this.#attempt = this.#attend(spare.parts);
      this.#restore((attempt, events) => attempt.adopt(setup.disks, events));
    } else if (filling !== undefined) {
      this.#attempt = this.#start('restored');
      this.#restore((attempt, events) => attempt.restore(setup, filling, events));
    } else {
      this.#attempt = this.#startCold();
    }
  }

  get processes(): readonly { readonly name: string; readonly pid: number }[] {
    return this.#attempt.processes;
  }

  pause(done: (refusal: string | undefined) => void): void {
    this.#attempt.qmp.pause(done);
  }

  resume(done: (refusal: string | undefined) => void): void {
    this.#attempt.qmp.resume(done);
  }

  answered(): number | 'given-up' | undefined {
    if (this.#state === 'replacing') return 'given-up';
    if (this.#state !== 'restoring') return undefined;
    this.#state = 'settled';
    if (this.#setup.template !== undefined) markUsed(this.#setup.template);
    this.#settle();
    return Math.floor(monotonicMilliseconds() - this.#wentOn);
  }

  kill(): void {
    this.#deadline?.cancel();
    this.#state = 'ending';
    this.#attempt.kill();
  }

  lastWords(): string[] {
    return this.#attempt.lastWords();
  }

  #startCold(): Attempt {
    const attempt = this.#start('cold');
    this.#settle();
    return attempt;
  }

  /** Undefined where there is no room for it. */
  #fill(template: OpenTemplate): Filling | undefined {
    if (mapsTemplate(this.#setup, 'restored')) return 'there';
    const { plan, id, cgroupFiles } = this.#setup;
    try {
      mountMemoryFile(MEMORY_PLACE, plan.size.memoryMiB, id);
      return fillMemory(MEMORY_PLACE, template, cgroupFiles);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      this.#note(`cold start: no memory for a saved machine: ${error.message}`);
      unmountMemoryFile(MEMORY_PLACE);
      return undefined;
    }
  }

  /** `begin` brings it to go on from where it stands. */
  #restore(begin: (attempt: Attempt, events: RestoringEvents) => void): void {
    const { plan } = this.#setup;
    const failed = (reason: string) => this.#replace(reason);
    const goesOn = () => {
      // Its QEMU may have said so on its way out: the channel is another's by now.
      if (this.#state !== 'restoring') return;
      this.#wentOn = monotonicMilliseconds();
      wake(this.channels.control, this.#setup.hasMore);
      this.#awaitMove();
    };
    const seconds = RESTORE_SECONDS[plan.accelerator];
    this.#deadline = this.#loop.after(seconds * 1000, () => failed(`no answer within ${seconds} seconds`));
    begin(this.#attempt, { failed, goesOn });
  }

  /** Before its guest is told what to be: a spare is where the pod's limits are. */
  #awaitMove(): void {
    try {
      this.#setup.spare?.settle();
    } catch (error) {
      if (!(error instanceof SystemError || error instanceof KvmError)) throw error;
      this.#replace(error.message);
    }
  }

  #start(beginning: Beginning): Attempt {
    return this.#attend(startMachine(this.#setup, beginning, this.#wires));
  }

  #attend(parts: MachineParts): Attempt {
    return new Attempt(this.#loop, parts, this.#showLine, {
      failed: (problem) => {
        if (this.#state === 'restoring') this.#replace(problem.message);
        else if (this.#state === 'settled') this.#events.failed(problem);
      },
      gone: () => this.#gone(),
    });
  }

  #replace(reason: string): void {
    if (this.#state !== 'restoring') return;
    this.#state = 'replacing';
    this.#deadline?.cancel();
    const words = this.#attempt.lastWords();
    this.#note(`cold start: a saved machine could not be restored: ${[reason, ...words].join('; ')}`);
    this.#attempt.kill();
  }

  #gone(): void {
    if (this.#state !== 'replacing') {
      this.#events.gone();
      return;
    }
    this.#state = 'settled';
    unmountMemoryFile(MEMORY_PLACE);
    // What the guest that was given up has not read is not for the next one, and what it has said is not to be taken for that one's.
    for (const { own, theirs } of [this.#wires.control, this.#wires.data]) {
      forget(theirs);
      forget(own);
    }
    for (const fd of this.#setup.network.fds) {
      renewVhost(fd);
      // Of several queues QEMU uses one until its guest asks for more, and has the others rest.
      wakeQueue(fd);
    }
    this.#attempt = this.#startCold();
  }

  /** Nobody else needs them. The end of a child is only seen when nobody else holds its ends. */
  #settle(): void {
    this.#deadline?.cancel();
    const { userNamespace, network, template } = this.#setup;
    const more = [userNamespace, network.host?.namespace].filter((fd) => fd !== undefined);
    const { control, data } = this.#wires;
    closeAll([control.theirs, data.theirs, ...deviceFds(this.#setup), ...more]);
    if (template !== undefined) closeTemplate(template);
  }
}

function forget(channel: number): void {
  setNonBlocking(channel, true);
  const buffer = new Uint8Array(4096);
  while ((readNow(channel, buffer) ?? 0) > 0) {}
}

const VHOST_NET = { major: 10, minor: 238 };

/** It belongs to the first process that had it. */
function renewVhost(fd: number): void {
  const { kind, represents } = fstat(fd);
  if (kind !== 'char' || represents.major !== VHOST_NET.major || represents.minor !== VHOST_NET.minor) return;
  const another = open('/dev/vhost-net', open_.readWrite);
  duplicate(another, fd);
  close(another);
}
