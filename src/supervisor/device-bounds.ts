import type { DeviceRule } from '../abi/boot-plan.ts';
import { allowDevices } from '../native/device-access.ts';
import { SystemError } from '../native/errors.ts';
import { openUnified, type PodCgroup } from './cgroup.ts';
import { SupervisorError } from './error.ts';
import { DEVICE_RULES } from './plan/device-rules.ts';

/**
 * The devices of all apps together, `devices` beside those that any app has: only an administrator of the host may say so, who PID 1 of a pod with users of its own is not.
 * Where the host has no such control the pod goes without, as any app would: users of its own can open no other devices.
 */
export function boundDevices(
  cgroup: PodCgroup,
  { devices, strict }: { readonly devices: readonly DeviceRule[]; readonly strict: boolean },
  warn: (message: string) => void,
): void {
  // That has been said.
  if (cgroup.kind === 'none') return;
  const problem = problemOf(cgroup, [...DEVICE_RULES, ...devices]);
  if (problem === undefined) return;
  const message = `pod: the rules for devices could not be set: ${problem}`;
  if (strict) throw new SupervisorError('unsupported', message);
  warn(message);
}

function problemOf(cgroup: PodCgroup & { kind: 'group' }, rules: readonly DeviceRule[]): string | undefined {
  using unified = openUnified(cgroup);
  try {
    return allowDevices(cgroup.group, unified?.fd, rules) ? undefined : 'the host has no such controller';
  } catch (error) {
    if (error instanceof SystemError) return error.message;
    throw error;
  }
}
