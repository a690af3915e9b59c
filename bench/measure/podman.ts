import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchHome } from './home.ts';
import { timed } from './timed.ts';

/** Its runtime knows no hosts that have groups of both kinds; and it leaves its own directory mounted. */
const ALONE = [
  'unshare',
  '--mount',
  'sh',
  '-c',
  'mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec "$@"',
  'sh',
];

/** Gives how it runs the same. What its own limits and groups need is not on every host; without them it has less to do. */
export async function preparePodman(home: BenchHome, ociLayout: string) {
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
