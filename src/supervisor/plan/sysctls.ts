/** What a pod is to have of its kernel's settings (`os/unix/sysctl`), and which of them are its own. Pure. */
import type { KernelSetting } from '../../abi/boot-plan.ts';
import { findIsolator, type Isolator } from '../../appc/index.ts';

/** What a pod has of its own. */
export interface KernelShare {
  readonly ownKernel: boolean;
  /** In the network of its host. */
  readonly hostNetwork: boolean;
  /** Likewise. */
  readonly hostIpc: boolean;
}

export function planSysctls(isolators: readonly Isolator[], share: KernelShare): KernelSetting[] {
  return settingsOf(isolators)
    .filter((setting) => refusalOf(setting, share) === undefined)
    .map(({ path, value }) => ({ path, value }));
}

/** One line for each setting that is not the pod's. */
export function refusedSysctls(isolators: readonly Isolator[], share: KernelShare): string[] {
  return settingsOf(isolators).flatMap((setting) => {
    const refusal = refusalOf(setting, share);
    return refusal === undefined
      ? []
      : [`pod: isolator os/unix/sysctl: ${JSON.stringify(setting.key)} is not set: ${refusal}`];
  });
}

interface Setting extends KernelSetting {
  readonly key: string;
}

function settingsOf(isolators: readonly Isolator[]): Setting[] {
  const settings = findIsolator(isolators, 'sysctl')?.value ?? {};
  return Object.entries(settings).map(([key, value]) => ({ key, path: sysctlPath(key), value }));
}

/** `net.ipv4.conf.eth0/1.forwarding` and `net/ipv4/conf/eth0.1/forwarding` are one, as for sysctl(8): what comes first divides. */
export function sysctlPath(key: string): string {
  const [separator] = /[./]/.exec(key) ?? [];
  if (separator !== '.') return key;
  return key.replace(/[./]/g, (character) => (character === '.' ? '/' : '.'));
}

/** It becomes a path below /proc/sys, and stays there. */
const PATH = /^(?!.*(^|\/)\.{1,2}(\/|$))[A-Za-z0-9_.:@-]+(\/[A-Za-z0-9_.:@-]+)+$/;

/** Those of an IPC namespace, which each pod has. */
const OF_IPC =
  /^(kernel\/(msg(max|mnb|mni|_next_id)|sem|sem_next_id|shm(all|max|mni|_next_id|_rmid_forced))|fs\/mqueue\/[a-z_]+)$/;

function refusalOf({ path }: Setting, share: KernelShare): string | undefined {
  if (!PATH.test(path)) return 'it is no name of a setting';
  if (share.ownKernel) return undefined;
  const shared = (what: string) => `it is of the ${what} of the host, which the pod shares`;
  if (OF_IPC.test(path)) return share.hostIpc ? shared('IPC') : undefined;
  if (path.startsWith('net/')) return share.hostNetwork ? shared('network') : undefined;
  return shared('kernel');
}
