/** The filter of system calls that an app starts with, by its isolators. */
import { findIsolator, type Isolator } from '../../appc/index.ts';
import { encodeBase64 } from '../plan/base64.ts';
import { OWN_ARCHITECTURE } from './architectures.ts';
import { DEFAULT_FILTER } from './default-filter.ts';
import { checkProfile, type ProfileSurroundings, policyOfProfile } from './profiles.ts';
import { compileFilter } from './program.ts';
import { DEFAULT_ISOLATOR, policyOfSet } from './sets.ts';

/**
 * Base64 of an array of struct sock_filter; null for an app that wants none. Throws SupervisorError `unsupported` for what no filter can
 * be made of.
 */
export function appFilter(isolators: readonly Isolator[], around: ProfileSurroundings): string | null {
  const [profile, set] = wishes(isolators);
  if (!profile && !set && around.architecture === OWN_ARCHITECTURE) return DEFAULT_FILTER;
  const policy =
    profile === undefined
      ? policyOfSet(set ?? DEFAULT_ISOLATOR, around.architecture)
      : policyOfProfile(profile.value, around);
  return policy === null ? null : encodeBase64(compileFilter(policy));
}

/** Whether a filter can be made of them at all; what it needs to be told beside is known later. Throws SupervisorError `unsupported`. */
export function checkFilter(isolators: readonly Isolator[]): void {
  const [profile, set] = wishes(isolators);
  if (profile !== undefined) checkProfile(profile.value);
  else if (set !== undefined) policyOfSet(set, OWN_ARCHITECTURE);
}

/** Of the two a profile counts. */
function wishes(isolators: readonly Isolator[]) {
  return [findIsolator(isolators, 'seccomp-profile'), findIsolator(isolators, 'seccomp')] as const;
}
