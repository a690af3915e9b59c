import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { FLAVOURS, FLY } from '../test/support/flavours.ts';
import { tinyImages } from '../test/support/images.ts';
import { BenchHome } from './measure/home.ts';
import { milliseconds, printGoal, printTable } from './measure/report.ts';
import { interleave, runsFromArguments, type Subject } from './measure/samples.ts';
import { timed } from './measure/timed.ts';

/** A pod in namespaces, from its command to its exit, of the same container of podman's; both without a network. */
const GOAL_OF_PODMAN = 0.65;
/** An app on the host, of what cannot be done without: Node, and chroot. */
const GOAL_OF_NODE = 1.5;

const home = new BenchHome();
const { aci, ociLayout } = await tinyImages();
/** Its runtime knows no hosts that have groups of both kinds; and it leaves its own directory mounted. */
const ALONE = [
  'unshare',
  '--mount',
  'sh',
  '-c',
  'mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec "$@"',
  'sh',
];
const PODMAN = [
  ...ALONE,
  ...['podman', '--root', join(home.root, 'storage'), '--runroot', join(home.root, 'runroot')],
  '--cgroup-manager=cgroupfs',
];
const namespaces = FLAVOURS.find(({ ownKernel }) => !ownKernel) ?? FLY;

function commandOf(name: string, ...commands: readonly (readonly string[])[]): Subject {
  return {
    name,
    measure: async () => {
      let sum = 0;
      for (const command of commands) sum += (await timed(command)).exit;
      return [sum];
    },
  };
}

const run = (stage1: string, net: string) =>
  home.argv(['run', `--net=${net}`, `--stage1-path=${stage1}`, aci.plain, '--exec=/bin/true']);

try {
  await timed([...PODMAN, 'pull', '-q', `oci:${ociLayout}:latest`]);
  const [file = '', ...args] = [...PODMAN, 'images', '-q'];
  const id = spawnSync(file, args, { encoding: 'utf8' }).stdout.trim();
  const rootfs = join(aci.plain, '../rootfs');
  // What podman's own limits and groups need is not on every host; without them it has less to do.
  const limits = ['--cgroups=disabled', '--ulimit=nofile=1024:1024', '--ulimit=nproc=1024:1024'];
  const flags = ['--rm', '--network=none', ...limits, '--entrypoint=/bin/true'];
  const measured = await interleave(
    [
      commandOf('rkt run, stage1-ns', run(namespaces.image, 'none')),
      commandOf('podman run', [...PODMAN, 'run', ...flags, id]),
      commandOf('rkt run, stage1-fly', run(FLY.image, 'host')),
      commandOf('node -e 0, then chroot', ['node', '-e', '0'], ['chroot', rootfs, '/bin/true']),
    ],
    runsFromArguments(9),
  );
  const [ns = Number.NaN, podman = Number.NaN, fly = Number.NaN, node = Number.NaN] = measured.map(
    ({ medians }) => medians[0] ?? Number.NaN,
  );
  printTable([
    ['median', 'exit'],
    ...measured.map(({ name, medians }) => [name, milliseconds(medians[0] ?? Number.NaN)]),
  ]);
  printGoal('a pod in namespaces beside podman, without a network', ns / podman, GOAL_OF_PODMAN);
  printGoal('an app on the host beside Node and chroot', fly / node, GOAL_OF_NODE);
} finally {
  await home.close();
}
