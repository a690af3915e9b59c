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

/** The same beside this process, in two parts: before the first plugin, and after the last. */
export class SysctlReading {
  readonly #fresh = aside(() => JSON.stringify([...readFreshSysctls()]));

  /** Plugins are done. Gives what they have changed when it is asked. */
  goOn(interfaces: readonly InterfacePlan[]): () => SysctlPlan[] {
    const fresh = this.#fresh();
    const changes = aside(() => {
      if (fresh === undefined) return JSON.stringify(readSysctlChanges(interfaces));
      return JSON.stringify(planSysctls(new Map(JSON.parse(fresh)), readSysctls(), interfaces));
    });
    return () => {
      const text = changes();
      return text === undefined ? readSysctlChanges(interfaces) : JSON.parse(text);
    };
  }
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
