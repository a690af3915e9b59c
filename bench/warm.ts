import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { tinyImages } from '../test/support/images.ts';
import { configureTemplates } from '../test/support/templates.ts';
import { prepareFloor } from './floor/machine.ts';
import { commandOf } from './measure/command-time.ts';
import { BenchHome } from './measure/home.ts';
import { inOwnNetwork } from './measure/own-network.ts';
import { preparePodman } from './measure/podman.ts';
import { milliseconds, printGoal, printTable } from './measure/report.ts';
import { interleave, runsFromArguments, type Subject } from './measure/samples.ts';
import { spared } from './measure/spares.ts';
import { timed } from './measure/timed.ts';

/** A pod that starts from a saved machine, from its command to its exit, of the same container of podman's. */
const GOAL_OF_PODMAN = 0.9;
/** Of the same pod whose machine boots. */
const GOAL_OF_COLD = 0.17;
/** Its first byte, of the bare machine's. */
const GOAL_OF_FLOOR = 0.16;
const AT_ONCE = 20;
/** Their time, of what their processors need at least. */
const GOAL_AT_ONCE = 1.3;
/** As the kernel counts processor time. */
const TICK_MS = 10;

await inOwnNetwork(import.meta.url, measure);

async function measure(warm: BenchHome): Promise<void> {
  const { aci, ociLayout } = await tinyImages();
  const cold = new BenchHome();
  const ahead = new BenchHome();
  try {
    configureTemplates({ localConfig: warm.localConfig }, { scope: 'host' });
    configureTemplates({ localConfig: ahead.localConfig }, { scope: 'host', spares: 1 });
    for (const interfaces of [0, 1]) {
      const build = ['template', 'build', `--interfaces=${interfaces}`];
      for (const layers of [[], ['--layers=1']]) await timed(warm.argv([...build, ...layers]));
      await timed(ahead.argv([...build, '--layers=1']));
    }
    const run = (home: BenchHome, net: string, roots: string) =>
      home.argv(['run', `--net=${net}`, `--rootfs=${roots}`, aci.plain, '--exec=/bin/true']);
    const podman = await preparePodman(warm, ociLayout);
    const say = ['run', '--net=none', '--rootfs=block', aci.plain, '--exec=/bin/echo', '--', 'up'];
    const measured = await interleave(
      [
        spared('rkt run, a spare waits', ahead, run(ahead, 'default', 'block'), 'exit'),
        spared('rkt run, a spare waits, no network', ahead, run(ahead, 'none', 'block'), 'exit'),
        spared('first byte, a spare waits, no network', ahead, ahead.argv(say), 'firstByte'),
        commandOf('rkt run, warm', run(warm, 'default', 'block')),
        commandOf('podman run', podman()),
        commandOf('rkt run, cold', run(cold, 'default', 'virtiofs')),
        commandOf('rkt run, warm, no network', run(warm, 'none', 'block')),
        commandOf('podman run, no network', podman('--network=none')),
        firstByte('first byte, warm, no network', warm.argv(say)),
        firstByte('first byte of the bare machine', await prepareFloor()),
        commandOf('rkt run, warm, roots shared', run(warm, 'default', 'virtiofs')),
        commandOf('rkt run, warm, roots shared, no network', run(warm, 'none', 'virtiofs')),
      ],
      runsFromArguments(15),
    );
    printTable([
      ['median', ''],
      ...measured.map(({ name, medians }) => [name, milliseconds(medians[0] ?? Number.NaN)]),
    ]);
    const time = (index: number) => measured[index]?.medians[0] ?? Number.NaN;
    const [podmanTime, podmanAlone, coldTime, floor] = [time(4), time(7), time(5), time(9)];
    for (const [how, pod, alone, byte] of [
      ['for whom a spare waits', time(0), time(1), time(2)],
      ['from a template', time(3), time(6), time(8)],
    ] as const) {
      printGoal(`a pod ${how} beside podman`, pod / podmanTime, GOAL_OF_PODMAN);
      printGoal('the same without a network', alone / podmanAlone, GOAL_OF_PODMAN);
      printGoal(`a pod ${how} beside a cold one`, pod / coldTime, GOAL_OF_COLD);
      printGoal(`first byte of a pod ${how} beside the bare machine`, byte / floor, GOAL_OF_FLOOR);
    }
    await measureAtOnce(run(warm, 'none', 'block'));
  } finally {
    await cold.close();
    await ahead.close();
  }
}

/** Beside what as many need one after the other, spread over all processors. */
async function measureAtOnce(command: readonly string[]): Promise<void> {
  const before = processorTime();
  for (let run = 0; run < AT_ONCE; run++) await timed(command);
  const each = (processorTime() - before) / AT_ONCE;
  const started = performance.now();
  await Promise.all(Array.from({ length: AT_ONCE }, () => timed(command)));
  const took = performance.now() - started;
  const least = (AT_ONCE * each) / availableParallelism();
  printTable([
    ['', ''],
    ['processor time of a warm start', milliseconds(each)],
    [`${AT_ONCE} at once`, milliseconds(took)],
  ]);
  printGoal(`${AT_ONCE} warm pods at once beside what their processors need`, took / least, GOAL_AT_ONCE);
}

/** Of the children that have ended, and theirs; in milliseconds. */
function processorTime(): number {
  const text = readFileSync('/proc/self/stat', 'latin1');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [user = 0, system = 0] = fields.slice(13, 15).map(Number);
  return (user + system) * TICK_MS;
}

function firstByte(name: string, command: readonly string[]): Subject {
  return { name, measure: async () => [(await timed(command)).firstByte] };
}
