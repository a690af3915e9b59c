import { spawnSync } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { compileProgram } from '../../tools/compile.ts';
import { digest } from '../../tools/digest.ts';
import { buildKernel } from '../../tools/kernel.ts';
import { artefacts, rootDir } from '../../tools/paths.ts';
import { assembleStage1Image } from '../../tools/stage1-image.ts';

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'rkt-build-'));
});
afterEach(() => rm(dir, { recursive: true }));

describe('the stage1 image', () => {
  it('is the same byte for byte when built anew elsewhere', async () => {
    const compile = (name: string, entry: string) =>
      compileProgram({ name: `${name}-again`, entry: join(rootDir, entry), outDir: dir });
    const [program, init, kernel] = await Promise.all([
      compile('stage1-kvm', 'stage1-kvm/main.ts'),
      compile('guest-init', 'guest-init/main.ts'),
      buildKernel(),
    ]);
    const again = await assembleStage1Image({ program, init, kernelKey: kernel.key });
    expect(digest(again)).toBe(digest(await readFile(artefacts.stage1Kvm)));
  });
});

describe('bin/rkt', () => {
  const run = (rkt: string) => spawnSync(rkt, ['version'], { encoding: 'utf8' });

  it('finds its bundle from anywhere, through a symbolic link', async () => {
    await symlink(join(rootDir, 'bin', 'rkt'), join(dir, 'rkt'));
    expect(run(join(dir, 'rkt'))).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^rkt Version: /),
    });
  });

  it('says what to run when nothing is built', async () => {
    await cp(join(rootDir, 'bin'), join(dir, 'bin'), { recursive: true });
    const { status, stderr } = run(join(dir, 'bin', 'rkt'));
    expect(stderr).toBe(`rkt: not built yet: run "npm run build" in ${dir}\n`);
    expect(status).toBe(254);
  });
});
