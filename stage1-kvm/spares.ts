/** Which pods may have a spare machine, and how one comes to it. */
import type { SavedDevices } from '../src/abi/templates.ts';
import { SystemError } from '../src/native/errors.ts';
import { moveFiles, type PodCgroup } from '../src/supervisor/cgroup.ts';
import type { Report } from '../src/supervisor/report.ts';
import type { MachineDisk } from '../src/supervisor/volumes/made-volumes.ts';
import type { Joined } from './connection.ts';
import { KvmError } from './error.ts';
import type { MachineNetwork } from './interfaces.ts';
import { imageSerial } from './root-disks.ts';
import { type Spare, takeSpare } from './spare-taking.ts';
import type { TemplateKind } from './template-store.ts';

/** A spare has a disk to write to, and others that anything can be read of: the images of roots. */
export function canHaveSpares({ disks, scratchBytes }: SavedDevices): boolean {
  return scratchBytes !== null && disks.every((kind) => kind === 'read' || kind === 'scratch');
}

/** A disk says who it is, and a spare's cannot be told another name. */
export function canTakeSpare(
  devices: SavedDevices,
  disks: readonly Pick<MachineDisk, 'serial' | 'kind'>[],
): boolean {
  return (
    canHaveSpares(devices) &&
    disks.every(({ serial, kind }, index) => kind === 'file' && serial === imageSerial(index))
  );
}

/** One that is ready, joined to the pod's interfaces. Undefined: the pod starts without. */
export function obtainSpare(
  kind: TemplateKind,
  joined: Pick<Joined, 'joinSpare'>,
  cgroup: PodCgroup,
  report: Report,
): { readonly spare: Spare; readonly network: MachineNetwork } | undefined {
  const spare = takeSpare(kind, moveFiles(cgroup), report);
  if (spare === undefined) return undefined;
  try {
    const network = joined.joinSpare(spare);
    spare.settle();
    return { spare, network };
  } catch (error) {
    if (!(error instanceof SystemError || error instanceof KvmError)) throw error;
    report.step(`a spare machine is not usable: ${error.message}`);
    spare.abandon();
    return undefined;
  }
}
