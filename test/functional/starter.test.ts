import { spawnSync } from 'node:child_process';
import { cp, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { rootDir } from '../../tools/paths.ts';

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'rkt-starter-'));
});
afterEach(() => rm(dir, { recursive: true }));

function version(rkt: string) {
  return spawnSync(rkt, ['version'], { encoding: 'utf8' });
}

it('finds its bundle from anywhere, through a symbolic link', async () => {
  await symlink(join(rootDir, 'bin', 'rkt'), join(dir, 'rkt'));
  const { status, stdout } = version(join(dir, 'rkt'));
  expect(stdout).toMatch(/^rkt Version: /);
  expect(status).toBe(0);
});

it('says what to run when nothing is built', async () => {
  await cp(join(rootDir, 'bin'), join(dir, 'bin'), { recursive: true });
  const { status, stderr } = version(join(dir, 'bin', 'rkt'));
  expect(stderr).toBe(`rkt: not built yet: run "npm run build" in ${dir}\n`);
  expect(status).toBe(254);
});
