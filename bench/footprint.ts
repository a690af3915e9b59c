import { tinyImages } from '../test/support/images.ts';
import { mappingsOf } from '../test/support/mappings.ts';
import { configureTemplates } from '../test/support/templates.ts';
import { measureHeldQemu } from './floor/held-qemu.ts';
import { floorAccelerator } from './floor/machine.ts';
import { BenchHome } from './measure/home.ts';
import { IdlePod } from './measure/idle-pod.ts';
import { type ProcessMemory, pidsOf } from './measure/memory.ts';
import { printGoal, printLeast, printTable } from './measure/report.ts';
import { runsFromArguments } from './measure/samples.ts';
import { timed } from './measure/timed.ts';
import { type Left, whatIsLeft } from './measure/what-is-left.ts';

/** Resident memory of the supervisor, MB. */
const GOAL_OF_SUPERVISOR = 4;
/** PSS of all that an idle pod needs without its guest's memory, of that of its QEMU with no machine running. */
const GOAL_OF_HELD = { tcg: 1.8, kvm: 1.3 } as const;
/** What one more pod adds to the host, the guest's memory included, of what the first did. */
const GOAL_OF_ANOTHER = 0.6;
const PODS = 10;
/** After many pods: of what was available before, and of what was taken. */
const LEAST_AVAILABLE = 0.99;
const GOAL_OF_LEFT = 1.02;
/** The kernel's caches of its own objects grow until somebody needs the memory. */
const GOAL_OF_SLAB = 1.05;

const home = new BenchHome();
const pods: IdlePod[] = [];
try {
  configureTemplates({ localConfig: home.localConfig }, { scope: 'host' });
  await timed(home.argv(['template', 'build', '--interfaces=0', '--layers=1']));
  const { plain } = (await tinyImages()).aci;
  const command = (...args: string[]) => home.argv(['run', '--net=none', '--rootfs=block', plain, ...args]);
  // Images and all else that is made once.
  await timed(command('--exec=/bin/true'));
  const held = await measureHeldQemu(home.root);
  const start = async () => pods.push(await IdlePod.start(command));
  await start();
  const first = printOne(held, await floorAccelerator());
  while (pods.length < PODS - 1) await start();
  const nine = all();
  await start();
  const added = all() - nine;
  process.stdout.write(`  the ${PODS}th pod adds ${megabytes(added)} to the first's ${megabytes(first)}\n`);
  printGoal(`what the ${PODS}th pod adds, of the first`, added / first, GOAL_OF_ANOTHER);
  await end();
  await printLeft(command('--exec=/bin/true'), runsFromArguments(100));
} finally {
  await end();
  await home.close();
}

/** Gives all that the host has less of, in KiB. */
function printOne(held: ProcessMemory, accelerator: keyof typeof GOAL_OF_HELD): number {
  const [pod] = pods;
  if (pod === undefined) throw new Error('a pod has been started');
  const family = pod.memory();
  const rows = family.map((process) => row(process.program, process));
  printTable([['process', 'pid', 'RSS', 'PSS', "guest's PSS"], ...rows, row('qemu -S', held)]);
  printTable([
    ['guest', 'total', 'used', 'available'],
    ['', ...pod.inside.map(megabytes)],
  ]);
  printGoal(
    'resident memory of the supervisor',
    (family[0]?.rss ?? Number.NaN) / 1024,
    GOAL_OF_SUPERVISOR,
    ' MB',
  );
  printGoal('node processes of the pod', family.filter(({ program }) => program === 'node').length, 0);
  printGoal('processes that have the kernel mapped', pidsOf(pod.pid).filter(mapsKernel).length, 0);
  const without = family.reduce((sum, { pss }) => sum + pss, 0);
  printGoal(
    'a pod without its guest, of a QEMU with no machine',
    without / held.pss,
    GOAL_OF_HELD[accelerator],
  );
  return pod.total();
}

async function printLeft(command: readonly string[], runs: number): Promise<void> {
  const rounds = async (count: number): Promise<Left> => {
    for (let round = 0; round < count; round++) await timed(command);
    await timed(home.argv(['gc', '--grace-period=0s']));
    return whatIsLeft(home.dataDirectory);
  };
  const before = await rounds(5);
  const after = await rounds(runs);
  const name = `after ${runs} pods in sequence`;
  printLeast(`${name}: available memory`, after.available / before.available, LEAST_AVAILABLE);
  printGoal(`${name}: the kernel's own memory`, after.slab / before.slab, GOAL_OF_SLAB);
  printGoal(`${name}: the data directory`, after.disk / before.disk, GOAL_OF_LEFT);
}

function all(): number {
  return pods.reduce((sum, pod) => sum + pod.total(), 0);
}

async function end(): Promise<void> {
  await Promise.all(pods.splice(0).map((pod) => pod.end()));
}

function mapsKernel(pid: number): boolean {
  return mappingsOf(pid).some(({ path }) => path.includes('vmlinux'));
}

function row(name: string, { pid, rss, pss, guest }: ProcessMemory): string[] {
  return [name, `${pid}`, megabytes(rss), megabytes(pss), megabytes(guest)];
}

function megabytes(kib: number): string {
  return `${(kib / 1024).toFixed(1)} MB`;
}
