/** What plugins have changed of the kernel's settings for the pod's network namespace. */
import type { InterfacePlan, SysctlPlan } from '../../abi/network-plan.ts';
import { File, open_ } from '../../native/files.ts';
import { setNamespace, unshare } from '../../native/mounts.ts';
import { readSysctls, type Sysctls } from '../../native/sysctls.ts';
import { planSysctls } from './sysctl-plan.ts';

/**
 * Of the namespace that the process is in. There are hundreds, so they are read when nobody waits: not before the first plugin but
 * after the last, and what they were is read from another new namespace.
 */
export function readSysctlChanges(interfaces: readonly InterfacePlan[]): SysctlPlan[] {
  return planSysctls(readFreshSysctls(), readSysctls(), interfaces);
}

function readFreshSysctls(): Sysctls {
  using own = File.open('/proc/self/ns/net', open_.readOnly);
  unshare('network');
  try {
    return readSysctls();
  } finally {
    setNamespace(own.fd, 'network');
  }
}
