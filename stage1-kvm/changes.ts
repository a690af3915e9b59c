/**
 * The entrypoint `changes`: what a pod's apps have written to its scratch disk. The file system on it was a guest's to make up, so no kernel of the
 * host's reads it, but that of a machine of the same kind, which has this disk and nothing else.
 */

import type { BootPlan, ProcessPlan } from '../src/abi/boot-plan.ts';
import { parseChangesArguments } from '../src/abi/changes-arguments.ts';
import { NO_NETWORK } from '../src/abi/network-plan.ts';
import { POD } from '../src/abi/pod-directory.ts';
import { VM_IDS_ENV } from '../src/abi/stage1.ts';
import { environment } from '../src/native/engine.ts';
import { Loop } from '../src/native/loop.ts';
import { openDisk } from '../src/supervisor/disks/disk.ts';
import { SupervisorError } from '../src/supervisor/error.ts';
import { enterOwnNetwork } from '../src/supervisor/network/joining.ts';
import { STOP_GRACE_SECONDS } from '../src/supervisor/plan/plan.ts';
import { chooseAccelerator } from './accelerator.ts';
import { Archiving } from './archiving.ts';
import { diskArguments } from './disks.ts';
import { readHost } from './host.ts';
import { allocateId, parseIdRange } from './ids.ts';
import { NOT_JOINED } from './interfaces.ts';
import type { MachineSetup } from './machine-setup.ts';
import { machineHousing } from './plan.ts';
import { findPrograms } from './programs.ts';
import { blockRoot, readPodRoots, scratchDisk } from './root-disks.ts';
import { QEMU_ROOT_PLACE } from './starting.ts';
import { QEMU_FDS } from './vmm.ts';

/** What a kernel and an archive of any size need. */
const SIZE = { cpus: 1, memoryMiB: 256 };

/** @throws KvmError, SupervisorError, AbiError, SystemError */
export function changes(args: readonly string[]): number {
  const { uuid, app } = parseChangesArguments(args);
  const roots = readPodRoots();
  if (roots.kind !== 'block') throw new SupervisorError('bad-pod', `pod ${uuid}: its roots are no disks`);
  const root = blockRoot(roots, app);
  if (root.kind !== 'block') throw new SupervisorError('bad-pod', `app ${app}: its root is no disk`);
  // Its journal may have to be gone through: a pod that was killed has left it as it was.
  const disk = openDisk('the scratch disk', POD.scratch, false);
  enterOwnNetwork();
  const archiving = new Archiving(new Loop(), setUp(uuid, disk.fd), {
    root: { ...root, layers: [] },
    process: NOBODYS,
    plan: () => bootPlan(),
  });
  return archiving.run();
}

function setUp(uuid: string, fd: number): MachineSetup {
  const host = readHost();
  const { accelerator } = chooseAccelerator(host);
  const programs = findPrograms(false);
  const disks = [scratchDisk(fd)];
  return {
    plan: {
      uuid,
      accelerator,
      size: SIZE,
      firmware: programs.firmware,
      tscKilohertz: host.tscKilohertz,
      debug: false,
      extraKernelParameters: '',
      hasShare: false,
      deviceArguments: diskArguments(disks, QEMU_FDS.length),
    },
    programs,
    share: undefined,
    template: undefined,
    spare: undefined,
    rootPlace: QEMU_ROOT_PLACE,
    network: NOT_JOINED,
    disks,
    id: allocateId(parseIdRange(environment(VM_IDS_ENV))),
    cgroupFiles: [],
    userNamespace: undefined,
    hasMore: false,
  };
}

function bootPlan(): BootPlan {
  const nothing = { version: 1, kind: 'block', scratchBytes: 0, images: [], apps: [] } as const;
  const housing = machineHousing({ roots: nothing, hasShare: false }, () => 'tcg');
  const network = { ...NO_NETWORK, sysctls: [] };
  return {
    hostname: 'changes',
    machine: housing.machine(network, []),
    network,
    apps: [],
    stopGraceSeconds: STOP_GRACE_SECONDS,
    names: '',
    // There is none to wait for.
    staysWhenEmpty: true,
    sysctls: [],
    volumes: [],
    strict: false,
  };
}

/** It runs no program, and reads whatever there is. */
const NOBODYS: ProcessPlan = {
  argv: ['archive'],
  env: [],
  workingDirectory: '/',
  uid: 0,
  gid: 0,
  groups: [],
  umask: 0,
  capabilities: [],
  noNewPrivileges: true,
  seccomp: null,
  rlimits: [],
  oomScoreAdj: null,
};
