import type { DeviceRule } from '../../abi/boot-plan.ts';

const ANY = null;

/**
 * The devices of an app: those that PID 1 makes in /dev (`guest-init/devices.ts`), and its terminals. Nodes may be made of any, as with
 * other runtimes: archives have them.
 */
export const DEVICE_RULES: readonly DeviceRule[] = [
  { kind: 'char', major: ANY, minor: ANY, use: 'm' },
  { kind: 'block', major: ANY, minor: ANY, use: 'm' },
  // null, zero, full, random, urandom
  ...[3, 5, 7, 8, 9].map((minor): DeviceRule => ({ kind: 'char', major: 1, minor, use: 'rw' })),
  // tty, console, ptmx
  ...[0, 1, 2].map((minor): DeviceRule => ({ kind: 'char', major: 5, minor, use: 'rw' })),
  // pts/N
  { kind: 'char', major: 136, minor: ANY, use: 'rw' },
  // net/tun
  { kind: 'char', major: 10, minor: 200, use: 'rw' },
];
