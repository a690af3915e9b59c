/** From what a pod's machine begins: one that is there already, a saved one, or its kernel. */
import type { SavedDevices } from '../src/abi/templates.ts';
import { SystemError } from '../src/native/errors.ts';
import { moveFiles, type PodCgroup } from '../src/supervisor/cgroup.ts';
import type { Report } from '../src/supervisor/report.ts';
import type { MachineDisk } from '../src/supervisor/volumes/made-volumes.ts';
import type { Joined, MachineAhead } from './connection.ts';
import { KvmError } from './error.ts';
import { type MachineNetwork, tapName } from './interfaces.ts';
import { imageSerial } from './root-disks.ts';
import { canHaveSpares, savedDevices } from './saved-devices.ts';
import { reserveSpare, type Spare } from './spare-taking.ts';
import type { SavedMachine } from './template-arguments.ts';
import { chooseTemplate, type TemplateChoice } from './template-choice.ts';
import { closeTemplate } from './template-store.ts';

export interface BeginningOrder {
  readonly machine: Omit<SavedMachine, 'devices'>;
  readonly qemu: string;
  /** But for the one that roots are written to. */
  readonly disks: readonly MachineDisk[];
  /** Of that one; null: there is none. */
  readonly scratchBytes: number | null;
  /** Whether it may be one that is there already. */
  readonly mayTake: boolean;
  readonly cgroup: PodCgroup;
}

/** Where either comes from. */
export interface Sources {
  template: typeof chooseTemplate;
  spare: typeof reserveSpare;
}

const SOURCES: Sources = { template: chooseTemplate, spare: reserveSpare };

export class Beginning implements MachineAhead {
  readonly #order: BeginningOrder;
  readonly #report: Report;
  readonly #sources: Sources;
  devices: SavedDevices;
  template: TemplateChoice;
  spare: Spare | undefined;

  /** Before its networks are there, of which it is to have so many. */
  constructor(order: BeginningOrder, interfaces: number, report: Report, sources: Sources = SOURCES) {
    this.#order = order;
    this.#sources = sources;
    this.#report = report;
    this.devices = this.#devicesWith(interfaces);
    this.template = this.#choose();
    const { kind } = this.template;
    if (kind !== undefined && order.mayTake && canTakeSpare(this.devices, order.disks))
      this.spare = sources.spare(kind, report);
  }

  get isThere(): boolean {
    return this.spare !== undefined;
  }

  enter(): void {
    this.#trying((spare) => spare.take(moveFiles(this.#order.cgroup)));
  }

  arrive(): readonly string[] {
    this.#trying((spare) => spare.settle());
    return this.spare?.interfaces.map((_, number) => tapName(number)) ?? [];
  }

  /** All of its networks are there. @throws KvmError, SupervisorError */
  join(connection: Pick<Joined, 'interfaces' | 'join' | 'joinTaps'>): MachineNetwork {
    if (connection.interfaces !== this.devices.interfaces) {
      this.#giveUp('the pod has other interfaces');
      if (this.template.open !== undefined) closeTemplate(this.template.open);
      this.devices = this.#devicesWith(connection.interfaces);
      this.template = this.#choose();
    }
    return this.#trying(({ interfaces }) => connection.joinTaps(interfaces)) ?? connection.join();
  }

  /** Undefined where there is none, or no longer. */
  #trying<T>(action: (spare: Spare) => T): T | undefined {
    if (this.spare === undefined) return undefined;
    try {
      return action(this.spare);
    } catch (error) {
      if (!(error instanceof SystemError || error instanceof KvmError)) throw error;
      this.#giveUp(error.message);
      return undefined;
    }
  }

  #giveUp(why: string): void {
    if (this.spare === undefined) return;
    this.#report.step(`a spare machine is not usable: ${why}`);
    this.spare.abandon();
    this.spare = undefined;
  }

  #devicesWith(interfaces: number): SavedDevices {
    return savedDevices({ interfaces }, this.#order.disks, this.#order.scratchBytes);
  }

  #choose(): TemplateChoice {
    const { machine, qemu } = this.#order;
    return this.#sources.template({ ...machine, devices: this.devices }, qemu, this.#report);
  }
}

/** A disk says who it is, and a spare's cannot be told another name. */
function canTakeSpare(
  devices: SavedDevices,
  disks: readonly Pick<MachineDisk, 'serial' | 'kind'>[],
): boolean {
  return (
    canHaveSpares(devices) &&
    disks.every(({ serial, kind }, index) => kind === 'file' && serial === imageSerial(index))
  );
}
