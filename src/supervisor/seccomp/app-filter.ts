/** The filter of system calls that an app starts with, by its isolators. */
import { findIsolator, type Isolator } from '../../appc/index.ts';
import type { Architecture } from './architectures.ts';
import type { Policy } from './policy.ts';
import { checkProfile, type ProfileSurroundings, policyOfProfile } from './profiles.ts';
import { compileFilter } from './program.ts';
import { DEFAULT_ISOLATOR, policyOfSet } from './sets.ts';

/** What this program, and every guest that it runs, is compiled for. */
export const OWN_ARCHITECTURE: Architecture = 'x86-64';

/**
 * An array of struct sock_filter; null for an app that wants none. Throws SupervisorError `unsupported` for what the filter cannot be
 * made of.
 */
export function appFilter(isolators: readonly Isolator[], around: ProfileSurroundings): Uint8Array | null {
  const policy = policyOf(isolators, around);
  return policy === null ? null : compileFilter(policy);
}

/** Whether a filter can be made of them at all; what it needs to be told beside is known later. Throws SupervisorError `unsupported`. */
export function checkFilter(isolators: readonly Isolator[]): void {
  const profile = findIsolator(isolators, 'seccomp-profile');
  if (profile === undefined)
    policyOfSet(findIsolator(isolators, 'seccomp') ?? DEFAULT_ISOLATOR, OWN_ARCHITECTURE);
  else checkProfile(profile.value);
}

function policyOf(isolators: readonly Isolator[], around: ProfileSurroundings): Policy | null {
  const profile = findIsolator(isolators, 'seccomp-profile');
  if (profile !== undefined) return policyOfProfile(profile.value, around);
  return policyOfSet(findIsolator(isolators, 'seccomp') ?? DEFAULT_ISOLATOR, around.architecture);
}
