import type { Loop } from '../src/native/loop.ts';
import type { Exit } from '../src/native/processes.ts';
import { signalName } from '../src/native/signals.ts';
import { Messages } from '../src/supervisor/running/messages.ts';
import type { MachineDisk } from '../src/supervisor/volumes/made-volumes.ts';
import { adopt } from './adopting.ts';
import { KvmError } from './error.ts';
import type { MachineSetup } from './machine-setup.ts';
import { childMember, type MachineParts, type Member } from './members.ts';
import { Qmp } from './qmp.ts';
import { Restoring, type RestoringEvents } from './restoring.ts';
import { stateFd } from './starting.ts';

/** With --debug, is told each line of the console. */
export type ShowLine = ((line: string) => void) | undefined;

export interface AttemptEvents {
  /** It cannot go on, or has ended by itself. */
  failed(problem: KvmError): void;
  /** All of its processes have been reaped. */
  gone(): void;
}

/** The process after whose end the memory is there, unless it is already. */
export type Filling = number | 'there';

/** It does not stay. */
const FILLING = 'memory';
const CONSOLE_BYTES = 65536;
const MESSAGE_BYTES = 8192;
const LAST_LINES = 15;
/** A panic says what it is in its first line, and then prints registers and calls. */
const LAST_CONSOLE_LINES = 60;
const ENDS = { reset: 'the guest crashed', 'power-off': 'the guest powered itself off' } as const;

/** QEMU and virtiofsd, from their start to their end. */
export class Attempt {
  readonly qmp: Qmp;
  readonly #events: AttemptEvents;
  readonly #showsConsole: boolean;
  readonly #console: Messages;
  readonly #qemuMessages: Messages;
  readonly #shareMessages: Messages;
  /** What of it is still there. */
  readonly #running = new Set<Member>();
  readonly #loop: Loop;
  #ending = false;
  #restoring: Restoring | undefined;

  constructor(loop: Loop, { own, members }: MachineParts, showLine: ShowLine, events: AttemptEvents) {
    this.#loop = loop;
    this.#events = events;
    this.#showsConsole = showLine !== undefined;
    for (const member of members) this.#watch(member);
    this.#console = new Messages(loop, own.console, CONSOLE_BYTES, showLine);
    this.#qemuMessages = new Messages(loop, own.qemuMessages, MESSAGE_BYTES, undefined);
    this.#shareMessages = new Messages(loop, own.shareMessages, MESSAGE_BYTES, undefined);
    this.qmp = new Qmp(loop, own.qmp, {
      shutdown: (reason) => {
        if (!this.#ending) events.failed(new KvmError('vessel-failed', ENDS[reason]));
      },
      stopped: (status) => {
        if (!this.#ending) events.failed(new KvmError('vessel-failed', `qemu stopped the guest: ${status}`));
      },
      migration: (status) => this.#restoring?.progress(status),
    });
  }

  get processes(): readonly { readonly name: string; readonly pid: number }[] {
    return [...this.#running].map(({ name, pid }) => ({ name, pid })).filter(({ name }) => name !== FILLING);
  }

  restore(setup: MachineSetup, filling: Filling, events: RestoringEvents): void {
    const restoring = new Restoring(this.qmp, stateFd(setup), setup.share !== undefined, events);
    this.#restoring = restoring;
    if (filling === 'there') restoring.filled();
    else this.#await(filling, restoring, events);
  }

  /** A spare machine becomes this pod's. */
  adopt(disks: readonly MachineDisk[], events: RestoringEvents): void {
    adopt(this.qmp, disks, events);
  }

  #await(filling: number, restoring: Restoring, events: RestoringEvents): void {
    const member = childMember(FILLING, filling);
    this.#running.add(member);
    member.watch(this.#loop, (exit) => {
      this.#running.delete(member);
      if (this.#goneNow() || this.#ending) return;
      if (exit.kind === 'exited' && exit.code === 0) restoring.filled();
      else events.failed('its memory could not be copied');
    });
  }

  kill(): void {
    this.#ending = true;
    for (const member of this.#running) member.kill();
  }

  /** The last lines of what the programs and the guest's console have said, each with who said it; what was shown as it came is left out. */
  lastWords(): string[] {
    const sources = [
      ['qemu', this.#qemuMessages, LAST_LINES],
      ['virtiofsd', this.#shareMessages, LAST_LINES],
      ['console', this.#console, this.#showsConsole ? 0 : LAST_CONSOLE_LINES],
    ] as const;
    return sources.flatMap(([name, messages, count]) =>
      messages.lastLines(count).map((line) => `${name}: ${line}`),
    );
  }

  #watch(member: Member): void {
    this.#running.add(member);
    member.watch(this.#loop, (exit) => {
      this.#running.delete(member);
      if (!this.#ending) this.#events.failed(problemOf(member.name, exit));
      this.#goneNow();
    });
  }

  #goneNow(): boolean {
    if (this.#running.size > 0) return false;
    this.#events.gone();
    return true;
  }
}

function problemOf(name: string, exit: Exit): KvmError {
  const isOrderly = exit.kind === 'exited' && exit.code === 0;
  // Which of the two is noticed first is chance.
  const code = name === 'virtiofsd' && isOrderly ? 'share-ended' : 'vessel-failed';
  return new KvmError(code, `${name} ${describe(exit)}`);
}

function describe(exit: Exit): string {
  return exit.kind === 'exited'
    ? `exited with code ${exit.code}`
    : `was killed by ${signalName(exit.signal)}`;
}
