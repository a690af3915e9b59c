/** What a process may do: capabilities, no-new-privileges, system call filters, limits. */
import { Packer } from './bytes.ts';
import { capabilityNames } from './capability-names.ts';
import { attempt, call } from './syscall.ts';

export type Capability = (typeof capabilityNames)[number];

const capabilityNumber = (name: Capability) => capabilityNames.indexOf(name);

const PR_SET_PDEATHSIG = 1;
const PR_SET_KEEPCAPS = 8;
const PR_CAPBSET_READ = 23;
const PR_CAPBSET_DROP = 24;
const PR_SET_NO_NEW_PRIVS = 38;
const PR_CAP_AMBIENT = 47;
const PR_CAP_AMBIENT_RAISE = 2;
const PR_CAP_AMBIENT_CLEAR_ALL = 4;
const EINVAL = -22;

/** The signal this process gets when its parent's thread ends. Changing ids clears it; an exec does not. */
export function setParentDeathSignal(signal: number): void {
  call('prctl', PR_SET_PDEATHSIG, signal, 0, 0, 0);
}

/** For good, and for all children: exec gives no privileges (setuid bits, file capabilities). */
export function setNoNewPrivileges(): void {
  call('prctl', PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/** Permitted capabilities survive the change from root to another user; exec clears this. */
export function setKeepCapabilities(on: boolean): void {
  call('prctl', PR_SET_KEEPCAPS, on ? 1 : 0, 0, 0, 0);
}

/** Drops every capability that is not listed from the bounding set, those this version cannot name included. */
export function limitBoundingSet(kept: readonly Capability[]): void {
  const numbers = new Set(kept.map(capabilityNumber));
  for (let number = 0; attempt('prctl', PR_CAPBSET_READ, number, 0, 0, 0) !== EINVAL; number++) {
    if (!numbers.has(number)) call('prctl', PR_CAPBSET_DROP, number, 0, 0, 0);
  }
}

export interface CapabilitySets {
  readonly effective: readonly Capability[];
  readonly permitted: readonly Capability[];
  readonly inheritable: readonly Capability[];
}

const CAPABILITY_VERSION_3 = 0x20080522;

const header = () => new Packer(8).u32(CAPABILITY_VERSION_3).u32(0).finish();

export function setCapabilities({ effective, permitted, inheritable }: CapabilitySets): void {
  const sets = [effective, permitted, inheritable].map(capabilityMask);
  const data = new Packer(24);
  for (const [low] of sets) data.u32(low);
  for (const [, high] of sets) data.u32(high);
  call('capset', header(), data.finish());
}

/** Capabilities that survive an exec by a user who is not root; they must be permitted and inheritable. */
export function setAmbient(capabilities: readonly Capability[]): void {
  call('prctl', PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  for (const name of capabilities) {
    call('prctl', PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capabilityNumber(name), 0, 0);
  }
}

/** Two words of 32 bits. */
export function capabilityMask(capabilities: readonly Capability[]): readonly [low: number, high: number] {
  let low = 0;
  let high = 0;
  for (const number of capabilities.map(capabilityNumber)) {
    if (number < 32) low |= 1 << number;
    else high |= 1 << (number - 32);
  }
  return [low >>> 0, high >>> 0];
}
