/** The filter of system calls that an app starts with, by its isolators. */
import { findIsolator, type Isolator } from '../../appc/index.ts';
import type { Architecture } from './architectures.ts';
import type { Policy } from './policy.ts';
import { type ProfileSurroundings, policyOfProfile } from './profiles.ts';
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

function policyOf(isolators: readonly Isolator[], around: ProfileSurroundings): Policy | null {
  const profile = findIsolator(isolators, 'seccomp-profile');
  if (profile !== undefined) return policyOfProfile(profile.value, around);
  return policyOfSet(findIsolator(isolators, 'seccomp') ?? DEFAULT_ISOLATOR, around.architecture);
}
