import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import {
  blankApp,
  parseACIdentifier,
  parseACName,
  parseImageID,
  parseIsolator,
} from '../../../src/appc/index.ts';
import { checkProfiles } from '../../../src/stage0/apparmor.ts';

const directory = mkdtempSync(join(tmpdir(), 'apparmor-'));
afterAll(() => rmSync(directory, { recursive: true }));
const loaded = join(directory, 'profiles');
writeFileSync(loaded, 'web-server (enforce)\n/usr/bin/a b (complain)\n');

function app(value: unknown) {
  const isolators = [parseIsolator({ name: 'os/linux/apparmor-profile', value })];
  return {
    app: {
      ...{ name: parseACName('web'), readOnlyRootFS: false, annotations: [], mounts: [] },
      image: { id: parseImageID(`sha512-${'0'.repeat(64)}`), name: parseACIdentifier('a/b'), labels: [] },
      app: { ...blankApp, isolators },
    },
  };
}

it.each(['web-server', { profile: 'web-server' }, '/usr/bin/a b'])('%j is there', (value) => {
  expect(() => checkProfiles([app(value)], loaded)).not.toThrow();
});

it.each([
  ['web', 'web'],
  [{ profile: 'other' }, 'other'],
  [null, ''],
])('%j is not', (value, shown) => {
  expect(() => checkProfiles([app(value)], loaded)).toThrow(
    `app web: isolator os/linux/apparmor-profile: the host has no profile "${shown}" loaded`,
  );
});

it('a kernel without AppArmor has none', () => {
  expect(() => checkProfiles([app('web-server')], join(directory, 'absent'))).toThrow('"web-server"');
});
