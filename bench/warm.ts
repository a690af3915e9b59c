import { tinyImages } from '../test/support/images.ts';
import { configureTemplates } from '../test/support/templates.ts';
import { prepareFloor } from './floor/machine.ts';
import { commandOf } from './measure/command-time.ts';
import { BenchHome } from './measure/home.ts';
import { inOwnNetwork } from './measure/own-network.ts';
import { preparePodman } from './measure/podman.ts';
import { milliseconds, printGoal, printTable } from './measure/report.ts';
import { interleave, runsFromArguments, type Subject } from './measure/samples.ts';
import { timed } from './measure/timed.ts';

/** A pod that starts from a saved machine, from its command to its exit, of the same container of podman's. */
const GOAL_OF_PODMAN = 0.9;
/** Of the same pod whose machine boots. */
const GOAL_OF_COLD = 0.17;
/** Its first byte, of the bare machine's. */
const GOAL_OF_FLOOR = 0.16;
const AT_ONCE = 20;

await inOwnNetwork(import.meta.url, measure);

async function measure(warm: BenchHome): Promise<void> {
  const { aci, ociLayout } = await tinyImages();
  const cold = new BenchHome();
  try {
    configureTemplates({ localConfig: warm.localConfig }, { scope: 'host' });
    const built = await timed(warm.argv(['template', 'build']));
    process.stdout.write(`  rkt template build: ${milliseconds(built.exit)}\n`);
    const run = (home: BenchHome, net: string) =>
      home.argv(['run', `--net=${net}`, aci.plain, '--exec=/bin/true']);
    const podman = await preparePodman(warm, ociLayout);
    const say = warm.argv(['run', '--net=none', aci.plain, '--exec=/bin/echo', '--', 'up']);
    const measured = await interleave(
      [
        commandOf('rkt run, warm', run(warm, 'default')),
        commandOf('podman run', podman()),
        commandOf('rkt run, cold', run(cold, 'default')),
        commandOf('rkt run, warm, no network', run(warm, 'none')),
        commandOf('podman run, no network', podman('--network=none')),
        firstByte('first byte, warm, no network', say),
        firstByte('first byte of the bare machine', await prepareFloor()),
      ],
      runsFromArguments(15),
    );
    printTable([
      ['median', ''],
      ...measured.map(({ name, medians }) => [name, milliseconds(medians[0] ?? Number.NaN)]),
    ]);
    const time = (index: number) => measured[index]?.medians[0] ?? Number.NaN;
    printGoal('a warm pod in a machine beside podman', time(0) / time(1), GOAL_OF_PODMAN);
    printGoal('the same without a network', time(3) / time(4), GOAL_OF_PODMAN);
    printGoal('a warm pod beside a cold one', time(0) / time(2), GOAL_OF_COLD);
    printGoal('first byte of a warm pod beside the bare machine', time(5) / time(6), GOAL_OF_FLOOR);
    const started = performance.now();
    await Promise.all(Array.from({ length: AT_ONCE }, () => timed(run(warm, 'none'))));
    process.stdout.write(`  ${AT_ONCE} warm pods at once: ${milliseconds(performance.now() - started)}\n`);
  } finally {
    await cold.close();
  }
}

function firstByte(name: string, command: readonly string[]): Subject {
  return { name, measure: async () => [(await timed(command)).firstByte] };
}
