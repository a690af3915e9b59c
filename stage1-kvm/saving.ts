/** A machine from its start to its state in a file: it boots, PID 1 says hello, loads what most pods need, and stands still. */
import type { RootDiskPlan } from '../src/abi/boot-plan.ts';
import { type HostMessage, parseGuestMessage } from '../src/abi/guest.ts';
import type { Rehearsed } from '../src/abi/saved-machine.ts';
import { VM_IDS_ENV } from '../src/abi/stage1.ts';
import { readText } from '../src/native/contents.ts';
import { environment } from '../src/native/engine.ts';
import { unless } from '../src/native/errors.ts';
import { close, open, open_ } from '../src/native/files.ts';
import { Loop } from '../src/native/loop.ts';
import { unshare } from '../src/native/mounts.ts';
import { PacketChannel } from '../src/native/packets.ts';
import { kill } from '../src/native/processes.ts';
import { spawn } from '../src/native/spawn.ts';
import { openTap } from '../src/native/taps.ts';
import { hostPaths } from '../src/supervisor/host-programs.ts';
import { enterRoot } from '../src/supervisor/own-root.ts';
import { DEVICE_RULES } from '../src/supervisor/plan/device-rules.ts';
import type { Report } from '../src/supervisor/report.ts';
import { Messages } from '../src/supervisor/running/messages.ts';
import { QEMU_NAMESPACES, qemuRoot, qemuSteps } from './confinement.ts';
import { KvmError } from './error.ts';
import { readHost } from './host.ts';
import { parseIdRange } from './ids.ts';
import { fdsOf, queuesFor } from './interface-arguments.ts';
import { openVhosts, tapName } from './interfaces.ts';
import { findPrograms } from './programs.ts';
import { Qmp } from './qmp.ts';
import { SCRATCH_PLAN, scratchDisk } from './root-disks.ts';
import type { StandIns } from './saved-devices.ts';
import {
  CAPABILITIES,
  MEMORY_DIRECTORY,
  SAVED_PARAMETERS,
  type SavedMachine,
  templateArguments,
} from './template-arguments.ts';
import { closeAll, connectChannels, connectWires, type OwnEnds } from './wires.ts';

export interface SavingPlaces {
  readonly kernelDirectory: string;
  /** For QEMU's root to be made over. */
  readonly rootPlace: string;
  readonly memoryPlace: string;
  readonly statePath: string;
  /** Undefined: there is no such disk. */
  readonly scratchPath: string | undefined;
  readonly report: Report;
  /** For the QEMU of this uid. */
  mountMemory(id: number): void;
}

const PATIENCE_SECONDS = 240;
const MESSAGE_BYTES = 65536;
const LAST_LINES = 10;
const REHEARSED = JSON.stringify({ type: 'rehearsed' } satisfies Rehearsed);

/** Gives the release of its kernel. @throws KvmError, SystemError */
export function saveMachine(machine: SavedMachine, places: SavingPlaces): string {
  // Of the ids that pods get it is the last: they take the lowest that is free.
  const { first, count } = parseIdRange(environment(VM_IDS_ENV));
  const id = first + count - 1;
  places.mountMemory(id);
  const channels = connectChannels();
  const wires = connectWires(channels, false);
  const standIns = openStandIns(machine, places);
  const fds = [
    ...fdsOf(standIns.interfaces),
    ...(standIns.scratch === undefined ? [] : [standIns.scratch.fd]),
  ];
  const pid = startQemu(machine, places, id, [...wires.qemu, ...fds], standIns);
  closeAll([...wires.theirs, ...fds, channels.control.theirs, channels.data.theirs]);
  const loop = new Loop();
  const saving = new Saving(loop, places, { ...wires.own, control: channels.control.own });
  loop.onExit(pid, () => saving.ended());
  loop.after(PATIENCE_SECONDS * 1000, () => saving.fail(`no machine within ${PATIENCE_SECONDS} seconds`));
  saving.disks = standIns.scratch === undefined ? [] : [SCRATCH_PLAN];
  const modules = readText(`${places.kernelDirectory}/modules`)
    .split('\n')
    .filter((name) => name !== '');
  saving.modules = modules;
  loop.run();
  unless(['ESRCH'], () => kill(pid, 'SIGKILL'));
  // Until now: PID 1 waits for somebody to be behind both.
  close(channels.data.own);
  if (saving.problem !== undefined) throw new KvmError('vessel-failed', saving.problem);
  return saving.kernel;
}

/** Taps of a network that nobody is on. This process is there from now on, and QEMU with it. */
function openStandIns({ devices, size: { cpus } }: SavedMachine, { scratchPath }: SavingPlaces): StandIns {
  unshare('network');
  const queues = queuesFor(cpus);
  return {
    interfaces: Array.from({ length: devices.interfaces }, (_, index) => ({
      taps: openTap(tapName(index), queues),
      vhosts: openVhosts(queues),
    })),
    scratch: scratchPath === undefined ? undefined : scratchDisk(open(scratchPath, open_.readWrite)),
  };
}

function startQemu(
  machine: SavedMachine,
  places: SavingPlaces,
  id: number,
  fds: readonly number[],
  standIns: StandIns,
): number {
  const { kernelDirectory, memoryPlace, rootPlace } = places;
  const entries = qemuRoot(hostPaths(), {
    kernelDirectory,
    memory: { source: memoryPlace, target: MEMORY_DIRECTORY },
    gid: id,
    kvm: machine.accelerator === 'kvm',
    resolvConf: undefined,
  });
  const { tscKilohertz } = readHost();
  const plan = { ...machine, tscKilohertz, debug: false, extraKernelParameters: SAVED_PARAMETERS };
  return spawn({
    path: findPrograms(false).qemu,
    argv: ['qemu-system-x86_64', ...templateArguments(plan, standIns)],
    env: ['PATH=/usr/bin:/bin'],
    fds,
    namespaces: QEMU_NAMESPACES,
    steps: qemuSteps({
      id,
      cgroupFiles: [],
      hostNetwork: undefined,
      hasTemplate: false,
      enterRoot: () => enterRoot(entries, rootPlace),
    }),
  });
}

class Saving {
  kernel = '';
  problem: string | undefined;
  modules: readonly string[] = [];
  disks: readonly RootDiskPlan[] = [];
  readonly #loop: Loop;
  readonly #places: SavingPlaces;
  readonly #guest: PacketChannel;
  readonly #qmp: Qmp;
  readonly #words: readonly Messages[];
  #isSaved = false;

  constructor(loop: Loop, places: SavingPlaces, own: OwnEnds & { readonly control: number }) {
    this.#loop = loop;
    this.#places = places;
    this.#words = [own.console, own.qemuMessages].map(
      (fd) => new Messages(loop, fd, MESSAGE_BYTES, undefined),
    );
    close(own.shareMessages);
    this.#guest = new PacketChannel(
      loop,
      own.control,
      { receiveBytes: MESSAGE_BYTES, queueBytes: MESSAGE_BYTES },
      {
        text: (text) => this.#heard(text),
        broken: (problem) => this.fail(problem.message),
      },
    );
    this.#qmp = new Qmp(loop, own.qmp, {
      shutdown: (reason) => this.fail(`the guest ended: ${reason}`),
      stopped: (status) => this.fail(`qemu stopped the guest: ${status}`),
      migration: (status) => this.#progress(status),
    });
  }

  ended(): void {
    this.fail('qemu ended');
  }

  fail(reason: string): void {
    if (this.#isSaved) return;
    this.problem ??= [reason, ...this.#words.flatMap((words) => words.lastLines(LAST_LINES))].join('; ');
    this.#loop.stop();
  }

  #heard(text: string): void {
    if (text === REHEARSED) {
      this.#qmp.pause((refusal) => this.#then(refusal, () => this.#save()));
      return;
    }
    const message = parseGuestMessage(JSON.parse(text));
    switch (message.type) {
      case 'hello': {
        this.kernel = message.kernel;
        this.#places.report.step(`guest up (Linux ${message.kernel})`);
        const order: HostMessage = {
          type: 'rehearse',
          modules: this.modules,
          devices: DEVICE_RULES,
          disks: this.disks,
        };
        this.#guest.send(JSON.stringify(order));
        return;
      }
      case 'fatal':
        this.fail(message.message);
        return;
      default:
        this.fail(`the guest said ${message.type}`);
    }
  }

  #save(): void {
    const fd = open(this.#places.statePath, open_.writeOnly | open_.create | open_.exclusive, 0o600);
    this.#ask('migrate-set-capabilities', CAPABILITIES);
    this.#ask('getfd', { fdname: 'state' }, [fd]);
    close(fd);
    this.#ask('migrate', { uri: 'fd:state' });
  }

  #progress(status: string): void {
    if (status === 'failed') this.fail('qemu could not save the machine');
    if (status !== 'completed') return;
    this.#isSaved = true;
    this.#loop.stop();
  }

  #ask(command: string, given: object, fds: readonly number[] = []): void {
    this.#qmp.ask(
      command,
      (refusal) => this.#then(refusal && `${command}: ${refusal}`, () => {}),
      given,
      fds,
    );
  }

  #then(refusal: string | undefined, next: () => void): void {
    if (refusal === undefined) next();
    else this.fail(refusal);
  }
}
