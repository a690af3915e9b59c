import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { compileProgram } from '../../tools/compile.ts';
import { buildKernel } from '../../tools/kernel.ts';
import { artefacts, buildDir, rootDir } from '../../tools/paths.ts';
import { assembleStage1Image, machineImage } from '../../tools/stage1-image.ts';

const outDir = mkdtempSync(join(tmpdir(), 'rkt-build-'));
const name = (program: string) => `again-${program}`;
afterAll(() => {
  rmSync(outDir, { recursive: true });
  for (const program of ['guest-init', 'stage1-kvm']) {
    rmSync(join(buildDir, 'keys', `program-${name(program)}`), { force: true });
    rmSync(join(buildDir, 'maps', `${name(program)}.js.map`), { force: true });
  }
});

test('the stage1 image is the same byte for byte when built again elsewhere', async () => {
  const compile = (program: string) =>
    compileProgram({ name: name(program), entry: join(rootDir, program, 'main.ts'), outDir });
  const [init, program] = [await compile('guest-init'), await compile('stage1-kvm')];
  const again = await assembleStage1Image(
    machineImage({ init, program, kernelKey: (await buildKernel()).key }),
  );
  expect(Buffer.compare(Buffer.from(again), readFileSync(artefacts.stage1Kvm))).toBe(0);
});
