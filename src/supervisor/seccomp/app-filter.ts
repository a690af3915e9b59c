/** The filter of system calls that an app starts with, by its isolators. */
import { findIsolator, type Isolator } from '../../appc/index.ts';
import type { Architecture } from './architectures.ts';
import type { Policy } from './policy.ts';
import { checkProfile, type ProfileSurroundings, policyOfProfile } from './profiles.ts';
import { compileFilter } from './program.ts';
import { DEFAULT_ISOLATOR, policyOfSet } from './sets.ts';

/** What this program, and every guest that it runs, is compiled for. */
export const OWN_ARCHITECTURE: Architecture = 'x86-64';

/** The default of each architecture: most apps of a pod have it, and to make it takes milliseconds. */
const defaults = new Map<Architecture, Uint8Array>();

/**
 * An array of struct sock_filter; null for an app that wants none. Throws SupervisorError `unsupported` for what no filter can be made
 * of.
 */
export function appFilter(isolators: readonly Isolator[], around: ProfileSurroundings): Uint8Array | null {
  const policy = policyOf(isolators, around);
  if (policy === 'default') return defaultFilter(around.architecture);
  return policy === null ? null : compileFilter(policy);
}

/** Whether a filter can be made of them at all; what it needs to be told beside is known later. Throws SupervisorError `unsupported`. */
export function checkFilter(isolators: readonly Isolator[]): void {
  const profile = findIsolator(isolators, 'seccomp-profile');
  const set = findIsolator(isolators, 'seccomp');
  if (profile !== undefined) checkProfile(profile.value);
  else if (set !== undefined) policyOfSet(set, OWN_ARCHITECTURE);
}

function policyOf(isolators: readonly Isolator[], around: ProfileSurroundings): Policy | null | 'default' {
  const profile = findIsolator(isolators, 'seccomp-profile');
  if (profile !== undefined) return policyOfProfile(profile.value, around);
  const set = findIsolator(isolators, 'seccomp');
  return set === undefined ? 'default' : policyOfSet(set, around.architecture);
}

function defaultFilter(architecture: Architecture): Uint8Array | null {
  const known = defaults.get(architecture);
  if (known !== undefined) return known;
  const policy = policyOfSet(DEFAULT_ISOLATOR, architecture);
  if (policy === null) return null;
  const filter = compileFilter(policy);
  defaults.set(architecture, filter);
  return filter;
}
