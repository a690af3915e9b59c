import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { inherit } from '../../tools/inherit.ts';
import { BenchHome } from './home.ts';

const INSIDE = 'RKT_BENCH_NAMESPACES';
const PREPARE = 'mkdir -p /var/lib/cni && mount -t tmpfs none /var/lib/cni && ip link set lo up';

/** Measures in network and mount namespaces of this program, which is started again in there: the host's own network is left alone. */
export async function inOwnNetwork(url: string, measure: (home: BenchHome) => Promise<void>): Promise<void> {
  if (process.env[INSIDE] === undefined) {
    const self = [process.execPath, '--import', 'tsx', fileURLToPath(url)];
    process.exitCode = await inherit('unshare', ['--net', '--mount', ...self, ...process.argv.slice(2)], {
      [INSIDE]: '1',
    });
    return;
  }
  if (spawnSync('/bin/sh', ['-c', PREPARE], { stdio: 'inherit' }).status !== 0)
    throw new Error('no network of its own');
  const home = new BenchHome();
  try {
    await measure(home);
  } finally {
    await home.close();
  }
}
