import { unless } from '../src/native/errors.ts';
import { close } from '../src/native/files.ts';
import { getLimit } from '../src/native/limits.ts';
import type { Loop } from '../src/native/loop.ts';
import { type Exit, kill } from '../src/native/processes.ts';
import { signalName } from '../src/native/signals.ts';
import { spawn } from '../src/native/spawn.ts';
import { hostPaths } from '../src/supervisor/host-programs.ts';
import { enterRoot } from '../src/supervisor/own-root.ts';
import { SHARE_DIRECTORY } from '../src/supervisor/plan/pod.ts';
import { Messages } from '../src/supervisor/running/messages.ts';
import type { Vessel, VesselEvents } from '../src/supervisor/running/vessel.ts';
import type { MachineDisk } from '../src/supervisor/volumes/made-volumes.ts';
import {
  QEMU_NAMESPACES,
  qemuRoot,
  qemuSteps,
  SHARE_NAMESPACES,
  shareRoot,
  shareSteps,
} from './confinement.ts';
import { KvmError } from './error.ts';
import type { MachineNetwork } from './interfaces.ts';
import type { Programs } from './programs.ts';
import { Qmp } from './qmp.ts';
import {
  KERNEL_DIRECTORY,
  type MachinePlan,
  qemuArguments,
  type ShareCache,
  virtiofsdArguments,
} from './vmm.ts';
import { closeTheirs, connectWires, type OwnEnds, type Wires } from './wires.ts';

export interface MachineSetup {
  readonly plan: MachinePlan;
  readonly programs: Programs;
  /** Undefined: there is no share, and no virtiofsd. */
  readonly share: ShareCache | undefined;
  /** Its fds are taken over. */
  readonly network: MachineNetwork;
  /** The same. */
  readonly disks: readonly MachineDisk[];
  /** The uid and gid of QEMU. */
  readonly id: number;
  readonly cgroupFiles: readonly string[];
  /** Taken over. */
  readonly userNamespace: number | undefined;
}

/** With --debug, is told each line of the console. */
type ShowLine = ((line: string) => void) | undefined;

const CONSOLE_BYTES = 65536;
const MESSAGE_BYTES = 8192;
const LAST_LINES = 15;
/** A panic says what it is in its first line, and then prints registers and calls. */
const LAST_CONSOLE_LINES = 60;
/** Each one's root is built in its own mount namespace, over a directory that it does not need. */
const QEMU_ROOT_PLACE = 'stage1/rootfs/opt';
const SHARE_ROOT_PLACE = KERNEL_DIRECTORY;
const ENDS = { reset: 'the guest crashed', 'power-off': 'the guest powered itself off' } as const;
const ENVIRONMENT = ['PATH=/usr/bin:/bin'];

/** A running virtual machine: QEMU and virtiofsd. */
export class Machine implements Vessel {
  readonly channels: Pick<OwnEnds, 'control' | 'data'>;
  readonly #events: VesselEvents;
  readonly #showsConsole: boolean;
  readonly #console: Messages;
  readonly #qemuMessages: Messages;
  readonly #shareMessages: Messages;
  readonly #qmp: Qmp;
  readonly #running = new Map<number, string>();
  #ending = false;

  constructor(loop: Loop, setup: MachineSetup, showLine: ShowLine, events: VesselEvents) {
    const { share } = setup;
    const wires = connectWires(
      [...setup.network.fds, ...setup.disks.map(({ fd }) => fd)],
      share !== undefined,
    );
    this.#events = events;
    this.#showsConsole = showLine !== undefined;
    if (share !== undefined) this.#start(loop, 'virtiofsd', startVirtiofsd(setup, share, wires));
    this.#start(loop, 'qemu', startQemu(setup, wires));
    closeTheirs(wires);
    for (const taken of [setup.userNamespace, setup.network.host?.namespace])
      if (taken !== undefined) close(taken);
    const { own } = wires;
    this.channels = own;
    this.#console = new Messages(loop, own.console, CONSOLE_BYTES, showLine);
    this.#qemuMessages = new Messages(loop, own.qemuMessages, MESSAGE_BYTES, undefined);
    this.#shareMessages = new Messages(loop, own.shareMessages, MESSAGE_BYTES, undefined);
    this.#qmp = new Qmp(loop, own.qmp, {
      shutdown: (reason) => events.failed(new KvmError('vessel-failed', ENDS[reason])),
      stopped: (status) => {
        if (!this.#ending) events.failed(new KvmError('vessel-failed', `qemu stopped the guest: ${status}`));
      },
    });
  }

  get processes(): readonly { readonly name: string; readonly pid: number }[] {
    return [...this.#running].map(([pid, name]) => ({ name, pid }));
  }

  pause(done: (refusal: string | undefined) => void): void {
    this.#qmp.pause(done);
  }

  resume(done: (refusal: string | undefined) => void): void {
    this.#qmp.resume(done);
  }

  kill(): void {
    this.#ending = true;
    for (const pid of this.#running.keys()) unless(['ESRCH'], () => kill(pid, 'SIGKILL'));
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

  #start(loop: Loop, name: string, pid: number): void {
    this.#running.set(pid, name);
    loop.onExit(pid, ({ exit }) => {
      this.#running.delete(pid);
      if (!this.#ending) this.#events.failed(problemOf(name, exit));
      if (this.#running.size === 0) this.#events.gone();
    });
  }
}

function startVirtiofsd(
  { programs, userNamespace, cgroupFiles }: MachineSetup,
  shareCache: ShareCache,
  wires: Wires,
): number {
  const { virtiofsd } = programs;
  if (virtiofsd === undefined) throw new KvmError('unsupported', 'virtiofsd is not installed');
  const entries = shareRoot(hostPaths(), SHARE_DIRECTORY);
  return spawn({
    path: virtiofsd.path,
    argv: ['virtiofsd', ...virtiofsdArguments(virtiofsd, shareCache)],
    env: ENVIRONMENT,
    fds: wires.virtiofsd,
    namespaces: SHARE_NAMESPACES,
    steps: shareSteps({
      userNamespace,
      cgroupFiles,
      hardLimit: getLimit('nofile').hard,
      enterRoot: () => enterRoot(entries, SHARE_ROOT_PLACE),
    }),
  });
}

function startQemu({ plan, programs, id, cgroupFiles, network }: MachineSetup, wires: Wires): number {
  const entries = qemuRoot(hostPaths(), {
    kernelDirectory: KERNEL_DIRECTORY,
    gid: id,
    kvm: plan.accelerator === 'kvm',
    resolvConf: network.host?.resolvConf,
  });
  return spawn({
    path: programs.qemu,
    argv: ['qemu-system-x86_64', ...qemuArguments(plan)],
    env: ENVIRONMENT,
    fds: wires.qemu,
    namespaces: QEMU_NAMESPACES,
    steps: qemuSteps({
      id,
      cgroupFiles,
      hostNetwork: network.host && {
        namespace: network.host.namespace,
        hardLimit: getLimit('nofile').hard,
      },
      enterRoot: () => enterRoot(entries, QEMU_ROOT_PLACE),
    }),
  });
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
