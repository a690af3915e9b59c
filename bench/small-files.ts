import { execFileSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileImage } from '../test/support/file-image.ts';
import { FLAVOURS } from '../test/support/flavours.ts';
import { compileProgram } from '../tools/compile.ts';
import { buildDir, rootDir } from '../tools/paths.ts';
import { BenchHome } from './measure/home.ts';
import { milliseconds, printGoal, printTable } from './measure/report.ts';
import { interleave, type Measured, runsFromArguments, type Subject } from './measure/samples.ts';
import { WORK } from './small-files/size.ts';
import { writeTree } from './small-files/tree.ts';

/** Of the time in namespaces, where the machine's processor were as fast as the host's. */
const GOAL = 2.5;

const home = new BenchHome();
const outDir = join(buildDir, 'bench', 'small-files');
await compileProgram({ entry: join(rootDir, 'bench/small-files/load.ts'), name: 'load', outDir });
const files = join(home.root, 'files');
cpSync(join(outDir, 'load'), join(files, 'load'));
writeTree(join(files, 'tree'));
const image = await writeFileImage(join(home.root, 'files.aci'), {
  ...{ name: 'example.com/small-files', exec: ['/files/load'], files },
});

function podOf(name: string, isMachine: boolean, ...flags: readonly string[]): Subject {
  const stage1 = FLAVOURS.find(({ ownKernel }) => ownKernel === isMachine)?.image;
  const words = ['--net=none', `--stage1-path=${stage1}`, ...flags, image, '--memory=512Mi'];
  return {
    name,
    measure: async () => {
      const [program = '', ...args] = home.argv(['run', ...words]);
      const output = execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
      const [rkt = '', ...gc] = home.argv(['gc', '--grace-period=0s']);
      execFileSync(rkt, gc, { stdio: 'ignore' });
      return output.trim().split('\n').map(Number);
    },
  };
}

try {
  const [own, ...machines] = await interleave(
    [
      podOf('in namespaces', false),
      podOf('on disks', true, '--rootfs=block'),
      podOf('by virtio-fs', true, '--rootfs=virtiofs'),
    ],
    runsFromArguments(5),
  );
  if (own === undefined) throw new Error('nothing was measured');
  const emulation = emulationOf(machines, own);
  printTable([
    ['', ...WORK],
    ...[own, ...machines].map(({ name, medians }) => [name, ...medians.map(milliseconds)]),
    ...machines.map((machine) => [
      `  ${machine.name}: ratio`,
      ...ratios(machine, own, emulation).map(twoDigits),
    ]),
  ]);
  process.stdout.write(`  the processor is slower by ${twoDigits(emulation)}, which is taken out\n`);
  const [disks] = machines;
  if (disks === undefined) throw new Error('no machine was measured');
  for (const [index, ratio] of ratios(disks, own, emulation).entries())
    printGoal(`on disks: ${index % 2 === 0 ? WORK[index] : `${WORK[index - 1]}, again`}`, ratio, GOAL);
} finally {
  await home.close();
}

/** Without the factor by which the machine's processor is slower. */
function ratios({ medians }: Measured, own: Measured, emulation: number): number[] {
  return factorsOf(medians, own)
    .slice(0, -1)
    .map((factor) => factor / emulation);
}

/** All machines have the same processor, and whatever disturbs a loop makes it longer: the least is meant. */
function emulationOf(machines: readonly Measured[], own: Measured): number {
  return Math.min(...machines.map(({ medians }) => factorsOf(medians, own).at(-1) ?? Number.NaN));
}

function factorsOf(medians: readonly number[], own: Measured): number[] {
  return medians.map((time, work) => time / (own.medians[work] ?? Number.NaN));
}

function twoDigits(value: number): string {
  return value.toFixed(2);
}
