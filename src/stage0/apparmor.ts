import { readFileSync } from 'node:fs';
import type { Isolator, Json } from '../appc/index.ts';
import { isSystemError } from '../os/syscall.ts';
import { Stage0Error } from './errors.ts';
import type { PodApp } from './pod-request.ts';

const ISOLATOR = 'os/linux/apparmor-profile';
/** A profile a line, `NAME (MODE)`; not there where the kernel has no AppArmor. */
const LOADED = '/sys/kernel/security/apparmor/profiles';

/**
 * An app must not run with less than the AppArmor profile that it asks for, where the host has none of that name (appc 0.8.11, ace.md).
 * Whether a profile that is there is applied is the stage1's to say. Throws Stage0Error `unsupported`.
 */
export function checkProfiles(apps: readonly Pick<PodApp, 'app'>[], loaded = LOADED): void {
  for (const { app } of apps)
    for (const { name, value } of app.app?.isolators.filter(isProfile) ?? []) {
      const wanted = textsOf(value);
      const there = new Set(loadedProfiles(loaded));
      if (wanted.length > 0 && wanted.every((profile) => there.has(profile))) continue;
      throw new Stage0Error(
        'unsupported',
        `app ${app.name}: isolator ${name}: the host has no profile ${JSON.stringify(wanted.join())} loaded`,
      );
    }
}

function isProfile(isolator: Isolator): isolator is Extract<Isolator, { kind: 'unknown' }> {
  return isolator.kind === 'unknown' && isolator.name === ISOLATOR;
}

/** The profile's name, alone or as a member: images have both. */
function textsOf(value: Json): string[] {
  const members = typeof value === 'object' && value !== null ? Object.values(value) : [value];
  return members.filter((member) => typeof member === 'string');
}

function loadedProfiles(path: string): string[] {
  try {
    return readFileSync(path, 'utf8')
      .split('\n')
      .map((line) => line.replace(/ \([a-z]+\)$/, ''));
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'EACCES')) return [];
    throw error;
  }
}
