/** Which of the kernel's settings plugins have changed. */
import type { InterfacePlan, SysctlPlan } from '../../abi/network-plan.ts';
import { isWritable, type Sysctls } from '../../native/sysctls.ts';

/** `ipv4/conf/eth0/forwarding`, `ipv6/neigh/eth0/gc_stale_time`; interfaces may have dots in their names, not slashes. */
const OF_INTERFACE = /^(ipv[46]\/(conf|neigh))\/([^/]+)\/(.+)$/;
/** Whose settings a new interface begins with; what all neighbours begin with only the host's namespace tells. */
const STANDARD: Readonly<Record<string, string>> = { conf: 'default', neigh: 'lo' };

/**
 * The settings that are no more as they were in the fresh namespace; those of an interface, which was not there, that are not as the
 * fresh namespace would have given it. In the order to write them in: some of the first set several of those that follow.
 */
export function planSysctls(
  fresh: Sysctls,
  now: Sysctls,
  interfaces: readonly Pick<InterfacePlan, 'name' | 'mtu'>[],
  canBeWritten: (name: string) => boolean = isWritable,
): SysctlPlan[] {
  const general: SysctlPlan[] = [];
  const ofInterfaces: SysctlPlan[] = [];
  for (const [name, value] of now) {
    const before = fresh.get(name);
    if (before !== undefined) {
      if (before !== value) general.push({ name, value });
      continue;
    }
    const [, family, kind, interfaceName, setting] = OF_INTERFACE.exec(name) ?? [];
    const of = interfaces.find((each) => each.name === interfaceName);
    if (of === undefined || isItsNature(setting ?? '', value, of)) continue;
    const standard = `${family}/${STANDARD[kind ?? ''] ?? 'default'}/${setting}`;
    const expected = fresh.get(standard);
    if (expected !== undefined && (expected !== value || now.get(standard) !== value))
      ofInterfaces.push({ name, value });
  }
  const rank = ({ name }: SysctlPlan) => ORDER.findIndex((pattern) => pattern.test(name));
  general.sort((one, other) => rank(one) - rank(other));
  return [...general, ...ofInterfaces].filter(({ name }) => canBeWritten(name));
}

/** Forwarding sets much of `all`, which sets much of `default` and of each interface. */
const ORDER = [/^ipv4\/ip_forward$/, /^(?!ipv[46]\/(conf|neigh)\/)/, /\/all\//, /\/default\//, /./];

/** IPv6's own copy of the interface's mtu is its standard. */
function isItsNature(setting: string, value: string, { mtu }: Pick<InterfacePlan, 'mtu'>): boolean {
  return setting === 'mtu' && value === String(mtu);
}
