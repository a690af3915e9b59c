import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chooseAccelerator, parseCpuInfo } from '../stage1-kvm/accelerator.ts';
import { writeFileImage } from '../test/support/file-image.ts';
import { compileProgram } from '../tools/compile.ts';
import { buildDir, rootDir } from '../tools/paths.ts';
import { BenchHome } from './measure/home.ts';
import { printGoal, printLeast, printTable } from './measure/report.ts';
import { interleave, runsFromArguments, type Subject } from './measure/samples.ts';

const WORK = [
  'write 128 MiB',
  'read them',
  '4000 x 4 KiB at random',
  'unpack 1000 files',
  'build them',
] as const;
/** Of the host's own speed; of a tree, at most so many times its time. */
const GOALS = { sequential: 0.8, random: 0.5, tree: 2 };
const DISK_BYTES = 1024 * 1024 * 1024;

const home = new BenchHome();
const outDir = join(buildDir, 'bench', 'volume-load');
await compileProgram({ entry: join(rootDir, 'bench/volume-load/load.ts'), name: 'load', outDir });
const image = await writeFileImage(join(home.root, 'load.aci'), {
  name: 'example.com/load',
  exec: ['/files/load', '/v'],
  files: outDir,
});

const numbers = (output: string) => output.trim().split('\n').map(Number);
/** New for each run: nobody finds what another has left. */
let count = 0;
const fresh = () => join(home.root, `v${++count}`);

const native: Subject = {
  name: "the host's own directory",
  measure: async () => {
    const directory = fresh();
    mkdirSync(directory);
    return clean(directory, () =>
      numbers(execFileSync(join(outDir, 'load'), [directory], { encoding: 'utf8' })),
    );
  },
};

const shared: Subject = {
  name: 'virtio-fs (kind=host)',
  measure: async () => {
    const directory = fresh();
    mkdirSync(directory);
    return clean(directory, () => inPod(`v,kind=host,source=${directory}`));
  },
};

const block: Subject = {
  name: 'a disk (kind=block)',
  measure: async () => {
    const file = fresh();
    writeFileSync(file, '');
    truncateSync(file, DISK_BYTES);
    return clean(file, () => inPod(`v,kind=block,source=${file}`));
  },
};

function inPod(volume: string): number[] {
  const flags = [
    'run',
    '--net=none',
    `--volume=${volume}`,
    image,
    '--memory=512Mi',
    '--mount=volume=v,target=/v',
  ];
  const [program = '', ...args] = home.argv(flags);
  const output = execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  execFileSync(program, [...args.slice(0, args.indexOf('run')), 'gc', '--grace-period=0s'], {
    stdio: 'ignore',
  });
  return numbers(output);
}

function clean<T>(path: string, action: () => T): T {
  try {
    return action();
  } finally {
    rmSync(path, { recursive: true });
  }
}

try {
  const measured = await interleave([native, shared, block], runsFromArguments(3));
  const [own = [], ...others] = measured.map(({ medians }) => medians);
  printTable([
    ['', ...WORK],
    ...measured.map(({ name, medians }) => [name, ...medians.map((time) => `${time.toFixed(0)} ms`)]),
    ...others.map((medians, index) => [
      `  ${measured[index + 1]?.name}: of its speed`,
      ...medians.map((time, work) => ((own[work] ?? Number.NaN) / time).toFixed(2)),
    ]),
  ]);
  const speed = (medians: readonly number[], work: number) =>
    (own[work] ?? Number.NaN) / (medians[work] ?? Number.NaN);
  const [onShare = [], onDisk = []] = others;
  for (const [name, medians] of [
    ['virtio-fs', onShare],
    ['a disk', onDisk],
  ] as const)
    for (const work of [0, 1]) printLeast(`${name}: ${WORK[work]}`, speed(medians, work), GOALS.sequential);
  printLeast(`a disk: ${WORK[2]}`, speed(onDisk, 2), GOALS.random);
  const tree = (medians: readonly number[]) => (medians[3] ?? 0) + (medians[4] ?? 0);
  printGoal('a disk: a tree, times the time of the host', tree(onDisk) / tree(own), GOALS.tree);
  explain();
} finally {
  await home.close();
}

/** The goals are for machines that hardware runs. */
function explain(): void {
  const facts = parseCpuInfo(readFileSync('/proc/cpuinfo', 'utf8'));
  const { accelerator } = chooseAccelerator({ flags: facts.flags, kvmRefusal: undefined, wanted: undefined });
  if (accelerator === 'kvm') return;
  process.stdout.write(
    [
      '  In software emulation a machine runs its instructions, those of its kernel among them, many times slower than the host: what counts here is',
      '  the number of system calls and of copies in the guest. A file of a tree costs some ten calls; on virtio-fs each asks virtiofsd as well.\n',
    ].join('\n'),
  );
}
