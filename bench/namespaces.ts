import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { FLAVOURS, FLY } from '../test/support/flavours.ts';
import { tinyImages } from '../test/support/images.ts';
import { inherit } from '../tools/inherit.ts';
import { BenchHome } from './measure/home.ts';
import { milliseconds, printGoal, printTable } from './measure/report.ts';
import { interleave, runsFromArguments, type Subject } from './measure/samples.ts';
import { timed } from './measure/timed.ts';

/** A pod in namespaces, from its command to its exit, of the same container of podman's: each with its default network. */
const GOAL_OF_PODMAN = 0.5;
/** Both without a network. */
const GOAL_WITHOUT_NETWORK = 0.65;
/** An app on the host, of what cannot be done without: Node, and chroot. */
const GOAL_OF_NODE = 1.5;

/** The kernel takes namespaces apart when all has ended: the next is not to wait for what the last has left. */
const SETTLE_MS = 250;

const INSIDE = 'RKT_BENCH_NAMESPACES';
const PREPARE = 'mkdir -p /var/lib/cni && mount -t tmpfs none /var/lib/cni && ip link set lo up';
/** Its runtime knows no hosts that have groups of both kinds; and it leaves its own directory mounted. */
const ALONE = [
  'unshare',
  '--mount',
  'sh',
  '-c',
  'mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec "$@"',
  'sh',
];

// The host's own network is left alone: all of it is in namespaces of this program.
if (process.env[INSIDE] === undefined) {
  const self = [process.execPath, '--import', 'tsx', fileURLToPath(import.meta.url)];
  process.exitCode = await inherit('unshare', ['--net', '--mount', ...self, ...process.argv.slice(2)], {
    [INSIDE]: '1',
  });
} else {
  if (spawnSync('/bin/sh', ['-c', PREPARE], { stdio: 'inherit' }).status !== 0)
    throw new Error('no network of its own');
  const home = new BenchHome();
  try {
    await measure(home);
  } finally {
    await home.close();
  }
}

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

function commandOf(name: string, ...commands: readonly (readonly string[])[]): Subject {
  return {
    name,
    measure: async () => {
      let sum = 0;
      for (const command of commands) sum += (await timed(command)).exit;
      await delay(SETTLE_MS);
      return [sum];
    },
  };
}

/** Gives how it runs the same. What its own limits and groups need is not on every host; without them it has less to do. */
async function preparePodman(home: BenchHome, ociLayout: string) {
  const configuration = join(home.root, 'containers.conf');
  const networks = ['network_backend = "cni"', `network_config_dir = "${join(home.root, 'networks')}"`];
  writeFileSync(
    configuration,
    ['[network]', ...networks, '[engine]', 'cgroup_manager = "cgroupfs"', ''].join('\n'),
  );
  const places = ['--root', join(home.root, 'storage'), '--runroot', join(home.root, 'runroot')];
  const podman = [...ALONE, 'env', `CONTAINERS_CONF=${configuration}`, 'podman', ...places];
  await timed([...podman, 'pull', '-q', `oci:${ociLayout}:latest`]);
  const [file = '', ...args] = [...podman, 'images', '-q'];
  const id = spawnSync(file, args, { encoding: 'utf8' }).stdout.trim();
  const limits = ['--cgroups=disabled', '--ulimit=nofile=1024:1024', '--ulimit=nproc=1024:1024'];
  return (...flags: readonly string[]) => [
    ...podman,
    ...['run', '--rm', ...limits, ...flags, '--entrypoint=/bin/true', id],
  ];
}
