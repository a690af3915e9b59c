import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { NO_VOLUMES } from '../../../src/abi/volume-plan.ts';
import { clearVolumes } from '../../../src/stage0/app-volumes.ts';
import { makeVolumes, readVolumes } from '../../../src/stage0/volume-files.ts';

const directory = mkdtempSync(join(tmpdir(), 'app-volumes-'));
afterAll(() => rmSync(directory, { recursive: true }));

const bounded = (key: string) => ({
  ...{ kind: 'limited' as const, key, readOnly: false, bytes: 1024 * 1024, mode: 0o755, uid: 0, gid: 0 },
});
const mount = (app: string) => ({
  ...{ app, volume: `${app}.v`, target: '/v', readOnly: false, subPath: null, seed: false },
});

test.each([
  { isReleased: true, removed: ['sharedVolumes/a.v', 'limitedVolumes/a.v'] },
  { isReleased: false, removed: ['sharedVolumes/a.v'] },
])('a volume that may be bounded goes with its app: $isReleased', ({ isReleased, removed }) => {
  const path = join(directory, String(isReleased));
  mkdirSync(path);
  makeVolumes(path, {
    ...NO_VOLUMES,
    volumes: [bounded('a.v'), bounded('b.v')],
    mounts: [mount('a'), mount('b')],
  });
  const gone: string[] = [];
  clearVolumes({ path }, { app: 'a', isReleased }, (one) => gone.push(one));
  expect(gone).toEqual(removed);
  expect(readVolumes(path).volumes.map(({ key }) => key)).toEqual(['b.v']);
});
