/** Starting QEMU and virtiofsd, each in what it is confined to. */
import { getLimit } from '../src/native/limits.ts';
import { spawn } from '../src/native/spawn.ts';
import { hostPaths } from '../src/supervisor/host-programs.ts';
import { enterRoot } from '../src/supervisor/own-root.ts';
import { SHARE_DIRECTORY } from '../src/supervisor/plan/pod.ts';
import {
  QEMU_NAMESPACES,
  qemuRoot,
  qemuSteps,
  SHARE_NAMESPACES,
  shareRoot,
  shareSteps,
} from './confinement.ts';
import { KvmError } from './error.ts';
import type { MachineSetup } from './machine-setup.ts';
import { childMember, type MachineParts, type Member } from './members.ts';
import { MEMORY_FD } from './memory-filter.ts';
import { MEMORY_DIRECTORY, restoredArguments } from './template-arguments.ts';
import { KERNEL_DIRECTORY, QEMU_FDS, qemuArguments, type ShareCache, virtiofsdArguments } from './vmm.ts';
import { type Channels, closeAll, connectWires, type Wires } from './wires.ts';

/** Of a pod. Each one's root is built in its own mount namespace, over a directory that it does not need. */
export const QEMU_ROOT_PLACE = 'stage1/rootfs/opt';
const SHARE_ROOT_PLACE = KERNEL_DIRECTORY;
/** Where the supervisor mounts the memory of a machine that is restored. */
export const MEMORY_PLACE = 'stage1/rootfs/memory';
const ENVIRONMENT = ['PATH=/usr/bin:/bin'];

/** A machine's start: its kernel's, or from where a machine was saved. */
export type Beginning = 'cold' | 'restored';

/** Its memory is the template's, until it writes to it. Where virtiofsd writes to it as well, it has to be a copy. */
export function mapsTemplate({ share }: Pick<MachineSetup, 'share'>, beginning: Beginning): boolean {
  return beginning === 'restored' && share === undefined;
}

/** QEMU, and virtiofsd where there is a share. */
export function startMachine(setup: MachineSetup, beginning: Beginning, channels: Channels): MachineParts {
  const { share } = setup;
  const wires = connectWires(channels, share !== undefined);
  const members: Member[] = [];
  if (share !== undefined) members.push(childMember('virtiofsd', startVirtiofsd(setup, share, wires)));
  members.push(childMember('qemu', startQemu(setup, beginning, qemuFds(setup, beginning, wires.qemu))));
  closeAll(wires.theirs);
  return { own: wires.own, members };
}

/** After those that every machine has: the interfaces' and the disks', as their arguments say; at last the state of a saved machine. */
function qemuFds(setup: MachineSetup, beginning: Beginning, own: readonly number[]): readonly number[] {
  const { template } = setup;
  const fds = [...own, ...deviceFds(setup)];
  if (beginning === 'cold' || template === undefined) return fds;
  if (mapsTemplate(setup, beginning)) fds[MEMORY_FD] = template.memory;
  return [...fds, template.state];
}

export function deviceFds({ network, disks }: MachineSetup): number[] {
  return [...network.fds, ...disks.map(({ fd }) => fd)];
}

export function stateFd(setup: MachineSetup): number {
  return QEMU_FDS.length + deviceFds(setup).length;
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

function startQemu(setup: MachineSetup, beginning: Beginning, fds: readonly number[]): number {
  const { plan, programs, id, cgroupFiles, network } = setup;
  const hasTemplate = mapsTemplate(setup, beginning);
  const entries = qemuRoot(hostPaths(), {
    ...(beginning === 'cold' ? { kernelDirectory: KERNEL_DIRECTORY } : {}),
    ...(beginning === 'restored' && !hasTemplate
      ? { memory: { source: MEMORY_PLACE, target: MEMORY_DIRECTORY } }
      : {}),
    gid: id,
    kvm: plan.accelerator === 'kvm',
    resolvConf: network.host?.resolvConf,
  });
  return spawn({
    path: programs.qemu,
    argv: [
      'qemu-system-x86_64',
      ...(beginning === 'cold' ? qemuArguments(plan) : restoredArguments(plan, plan)),
    ],
    env: ENVIRONMENT,
    fds,
    namespaces: QEMU_NAMESPACES,
    steps: qemuSteps({
      id,
      cgroupFiles,
      hostNetwork: network.host && {
        namespace: network.host.namespace,
        hardLimit: getLimit('nofile').hard,
      },
      hasTemplate,
      enterRoot: () => enterRoot(entries, setup.rootPlace),
    }),
  });
}
