import { findIsolator, type Isolator } from '../../appc/index.ts';
import { capabilityNames } from '../../native/capability-names.ts';
import { SupervisorError } from '../error.ts';

/** What an app has if nobody says otherwise (appc 0.8.11, ace.md). */
const DEFAULT_CAPABILITIES: readonly string[] = [
  'CAP_AUDIT_WRITE',
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FSETID',
  'CAP_FOWNER',
  'CAP_KILL',
  'CAP_MKNOD',
  'CAP_NET_RAW',
  'CAP_NET_BIND_SERVICE',
  'CAP_SETUID',
  'CAP_SETGID',
  'CAP_SETPCAP',
  'CAP_SETFCAP',
  'CAP_SYS_CHROOT',
];

const NAMES: readonly string[] = capabilityNames;

/** A name that stands for nothing would leave a capability that was to be removed. @throws SupervisorError `unsupported` */
export function checkCapabilities(isolators: readonly Isolator[]): void {
  for (const isolator of isolators) {
    if (isolator.kind !== 'capabilities') continue;
    const unknown = isolator.value.set.find((name) => !NAMES.includes(name));
    if (unknown !== undefined)
      throw new SupervisorError(
        'unsupported',
        `${isolator.name}: ${JSON.stringify(unknown)} is no capability such as CAP_CHOWN`,
      );
  }
}

/** By this one alone what is left in a directory of the host would be a device of the host. */
const OF_DEVICES = NAMES.indexOf('CAP_MKNOD');

/**
 * The numbers of what an app keeps: the default, without what it removes, or exactly what it retains; that to make devices only where
 * it `makesDevices`.
 */
export function keptCapabilities(
  isolators: readonly Isolator[],
  restricted: boolean,
  makesDevices: boolean,
): number[] {
  if (!restricted) return capabilityNames.map((_, number) => number);
  const retained = findIsolator(isolators, 'capabilities', 'os/linux/capabilities-retain-set')?.value.set;
  const removed =
    findIsolator(isolators, 'capabilities', 'os/linux/capabilities-remove-set')?.value.set ?? [];
  const kept = (retained ?? DEFAULT_CAPABILITIES).filter((name) => !removed.includes(name));
  return kept
    .map((name) => NAMES.indexOf(name))
    .filter((number) => number >= 0 && (makesDevices || number !== OF_DEVICES))
    .sort((a, b) => a - b);
}
