import { join } from 'node:path';
import { FLAVOURS, FLY } from '../test/support/flavours.ts';
import { tinyImages } from '../test/support/images.ts';
import { commandOf } from './measure/command-time.ts';
import type { BenchHome } from './measure/home.ts';
import { inOwnNetwork } from './measure/own-network.ts';
import { preparePodman } from './measure/podman.ts';
import { milliseconds, printGoal, printTable } from './measure/report.ts';
import { interleave, runsFromArguments } from './measure/samples.ts';

/** A pod in namespaces, from its command to its exit, of the same container of podman's: each with its default network. */
const GOAL_OF_PODMAN = 0.5;
/** Both without a network. */
const GOAL_WITHOUT_NETWORK = 0.65;
/** An app on the host, of what cannot be done without: Node, and chroot. */
const GOAL_OF_NODE = 1.5;

await inOwnNetwork(import.meta.url, measure);

async function measure(home: BenchHome): Promise<void> {
  const { aci, ociLayout } = await tinyImages();
  const { image } = FLAVOURS.find(({ ownKernel }) => !ownKernel) ?? FLY;
  const run = (stage1: string, net: string) =>
    home.argv(['run', `--net=${net}`, `--stage1-path=${stage1}`, aci.plain, '--exec=/bin/true']);
  const podman = await preparePodman(home, ociLayout);
  const chroot = ['chroot', join(aci.plain, '../rootfs'), '/bin/true'];
  const measured = await interleave(
    [
      commandOf('rkt run, stage1-ns', run(image, 'default')),
      commandOf('podman run', podman()),
      commandOf('rkt run, stage1-ns, no network', run(image, 'none')),
      commandOf('podman run, no network', podman('--network=none')),
      commandOf('rkt run, stage1-fly', run(FLY.image, 'host')),
      commandOf('node -e 0, then chroot', ['node', '-e', '0'], chroot),
    ],
    runsFromArguments(9),
  );
  printTable([
    ['median', 'exit'],
    ...measured.map(({ name, medians }) => [name, milliseconds(medians[0] ?? Number.NaN)]),
  ]);
  const exit = (index: number) => measured[index]?.medians[0] ?? Number.NaN;
  printGoal('a pod in namespaces beside podman', exit(0) / exit(1), GOAL_OF_PODMAN);
  printGoal('the same without a network', exit(2) / exit(3), GOAL_WITHOUT_NETWORK);
  printGoal('an app on the host beside Node and chroot', exit(4) / exit(5), GOAL_OF_NODE);
}
