/** What plugins have changed of the kernel's settings for the pod's network namespace. */
import type { InterfacePlan, SysctlPlan } from '../../abi/network-plan.ts';
import { aside } from '../../native/aside.ts';
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

/** Beside this process. Gives what they are when it is asked. */
export function beginReadingSysctlChanges(interfaces: readonly InterfacePlan[]): () => SysctlPlan[] {
  const outcome = aside(() => JSON.stringify(readSysctlChanges(interfaces)));
  return () => {
    const text = outcome();
    return text === undefined ? readSysctlChanges(interfaces) : JSON.parse(text);
  };
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
