import type { MachineDisk } from '../src/supervisor/volumes/made-volumes.ts';
import type { MachineNetwork } from './interfaces.ts';
import type { Programs } from './programs.ts';
import type { Spare } from './spare-taking.ts';
import type { OpenTemplate } from './template-store.ts';
import type { MachinePlan, ShareCache } from './vmm.ts';

/** What a pod's machine is made of. */
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
  /** Devices that no machine is saved with. */
  readonly hasMore: boolean;
  /** A saved machine to start from; taken over. */
  readonly template: OpenTemplate | undefined;
  /** One that has been, for whoever comes: instead of a start. Its fds are among those of network and disks; taken over. */
  readonly spare: Spare | undefined;
  /** For QEMU's root to be made over, in its own mount namespace: a directory that it does not need. */
  readonly rootPlace: string;
}
