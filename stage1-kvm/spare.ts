/**
 * The entrypoint `spare`: keeps a machine for a pod to come, from its template until that pod has ended or nobody has come. Its QEMU is a child of this process
 * and ends with it; and this process ends with the connection of whoever has taken the machine.
 */
import { EXIT } from '../src/abi/exit-code.ts';
import { NO_NETWORK, standInAddress } from '../src/abi/network-plan.ts';
import { parseSpares, SPARE, SPARES_ENV } from '../src/abi/spares.ts';
import { VM_IDS_ENV } from '../src/abi/stage1.ts';
import { parseTemplateArguments, TEMPLATE, type TemplateArguments } from '../src/abi/templates.ts';
import { readText } from '../src/native/contents.ts';
import { environment } from '../src/native/engine.ts';
import { open, open_ } from '../src/native/files.ts';
import { Loop } from '../src/native/loop.ts';
import { mount, ms, unshare } from '../src/native/mounts.ts';
import { mkdir } from '../src/native/paths.ts';
import { chdir } from '../src/native/processes.ts';
import { openTap } from '../src/native/taps.ts';
import { copyScratch } from '../src/supervisor/disks/scratch.ts';
import { Report } from '../src/supervisor/report.ts';
import type { MachineDisk } from '../src/supervisor/volumes/made-volumes.ts';
import { diskArguments } from './disks.ts';
import { KvmError } from './error.ts';
import { readHost } from './host.ts';
import { fdsOf, type InterfaceFds, interfaceArguments, queuesFor } from './interface-arguments.ts';
import { openVhosts, tapName } from './interfaces.ts';
import type { MachineSetup } from './machine-setup.ts';
import { findPrograms } from './programs.ts';
import { makeRehearsalImage, rehearsalPlan } from './rehearsal-plan.ts';
import { imageSerial, scratchDisk } from './root-disks.ts';
import { Keeper } from './spare-keeper.ts';
import { allocateSpareId, type Slot, takeSlot } from './spare-store.ts';
import { kindOf } from './template.ts';
import type { SavedMachine } from './template-arguments.ts';
import { type OpenTemplate, openTemplate, type TemplateKind } from './template-store.ts';
import { QEMU_FDS } from './vmm.ts';
import { connectChannels } from './wires.ts';

/** Of no pod. */
const UUID = '00000000-0000-0000-0000-000000000000';
const IMAGE = 'image';
const FILES = 'files';

/** Zero also where as many are kept as there are to be. */
export function spare(args: readonly string[]): number {
  const options = parseTemplateArguments(args);
  const { count, seconds } = parseSpares(environment(SPARES_ENV));
  const report = new Report('spare', options.debug);
  const kind = kindOf(options, report);
  const slot = takeSlot(kind, count);
  if (slot === undefined) return EXIT.ok;
  try {
    keep(kind, slot, options, seconds, report);
    return EXIT.ok;
  } catch (error) {
    if (error instanceof Error) slot.fail(error.message);
    throw error;
  } finally {
    slot.leave();
  }
}

function keep(
  kind: TemplateKind,
  slot: Slot,
  { kernel }: TemplateArguments,
  seconds: number,
  report: Report,
): void {
  const template = openTemplate(kind);
  if (typeof template === 'string') {
    // It has been removed, or the next pod makes another one: no reason to make no spares of that.
    report.step(template);
    return;
  }
  const modules = readText(`${kernel}/modules`)
    .split('\n')
    .filter((name) => name !== '');
  const id = allocateSpareId(slot, kind.directory, environment(VM_IDS_ENV));
  chdir(slot.place);
  unshare('mount');
  mount({ target: '/', flags: ms.recursive | ms.slave });
  // Taps of a network that nobody is on.
  unshare('network');
  mkdir(SPARE.root, 0o711);
  const { setup, interfaces, scratch } = setUp(kind.machine, template, id);
  const keeper = new Keeper(new Loop(), report, {
    ...{ kind, slot, seconds, setup, interfaces, scratch, channels: connectChannels() },
    templateRecord: `${kind.directory}/${kind.key}/${TEMPLATE.record}`,
    plan: (release) => rehearsalPlan(release, kind.machine.devices, modules),
  });
  keeper.run();
}

function setUp(
  machine: SavedMachine,
  template: OpenTemplate,
  id: number,
): { setup: MachineSetup; interfaces: readonly InterfaceFds[]; scratch: number } {
  const { accelerator, size, devices } = machine;
  const queues = queuesFor(size.cpus);
  const interfaces = Array.from({ length: devices.interfaces }, (_, number) => ({
    mac: standInAddress(number),
    taps: openTap(tapName(number), queues),
    vhosts: openVhosts(queues),
  }));
  const fds = fdsOf(interfaces);
  const scratch = openScratch(devices.scratchBytes, template);
  const disks = [...rehearsalDisks(devices.disks.length - 1), scratchDisk(scratch)];
  const programs = findPrograms(false);
  const deviceArguments = [
    ...interfaceArguments(interfaces, QEMU_FDS.length, accelerator),
    ...diskArguments(disks, QEMU_FDS.length + fds.length),
  ];
  const setup: MachineSetup = {
    plan: {
      ...{ uuid: UUID, accelerator, size, firmware: programs.firmware, debug: false, hasShare: false },
      ...{ tscKilohertz: readHost().tscKilohertz, extraKernelParameters: '', deviceArguments },
    },
    ...{ programs, share: undefined, userNamespace: undefined, hasMore: false, template, spare: undefined },
    network: { plan: NO_NETWORK, interfaces: interfaces.length, qemuArguments: [], fds },
    ...{ disks, id, cgroupFiles: [], rootPlace: SPARE.root },
  };
  return { setup, interfaces, scratch };
}

function openScratch(bytes: number | null, { scratch }: OpenTemplate): number {
  if (bytes === null || scratch === undefined)
    throw new KvmError('unsupported', 'a machine without a scratch disk');
  return copyScratch(SPARE.scratch, bytes, scratch).fd;
}

/** What stands for the images of a pod. */
function rehearsalDisks(count: number): MachineDisk[] {
  if (count > 0) makeRehearsalImage(IMAGE, FILES);
  return Array.from({ length: count }, (_, index) => ({
    ...({
      fd: open(IMAGE, open_.readOnly),
      kind: 'file',
      serial: imageSerial(index),
      readOnly: true,
    } as const),
  }));
}
