import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { POD } from '../src/abi/pod-directory.ts';
import { writeFileImage } from '../test/support/file-image.ts';
import { inherit } from '../tools/inherit.ts';
import { BareTap, compile, LoadServer } from './floor/network.ts';
import { BenchHome } from './measure/home.ts';
import { printGoal, printLeast, printTable } from './measure/report.ts';
import { interleave, runsFromArguments, type Subject } from './measure/samples.ts';
import { timed } from './measure/timed.ts';

/** Setting up the default network may take this much of the time that it takes with Debian's plugins. */
const SET_UP_GOAL = 0.5;
/** Of what a bare tap gives, a pod's network may lose so much. */
const FLOOR_GOAL = 0.9;
const INSIDE = 'RKT_BENCH_NETWORK';
/** The host's end of the default network. */
const HOST = '172.16.28.1';

// The host's own network is left alone: all of it is in namespaces of this program.
if (process.env[INSIDE] === undefined) {
  const self = [process.execPath, '--import', 'tsx', fileURLToPath(import.meta.url)];
  const argv = ['--net', '--mount', ...self, ...process.argv.slice(2)];
  process.exitCode = await inherit('unshare', argv, { [INSIDE]: '1' });
} else {
  await measure();
}

async function measure(): Promise<void> {
  const prepare = 'mkdir -p /var/lib/cni && mount -t tmpfs none /var/lib/cni && ip link set lo up';
  if (spawnSync('/bin/sh', ['-c', prepare], { stdio: 'inherit' }).status !== 0)
    throw new Error('no network of its own');
  const home = new BenchHome();
  try {
    const image = await writeLoadImage(home);
    const [server, bareTap] = [await LoadServer.prepare(), await BareTap.prepare()];
    const floor: Subject = {
      name: 'bare tap',
      measure: async () => {
        const { megabytesPerSecond, requestsPerSecond } = await bareTap.measure(server);
        return [Number.NaN, megabytesPerSecond, requestsPerSecond];
      },
    };
    const pod = (name: string, pluginPath: string | undefined): Subject => ({
      name,
      measure: () => measurePod(home, image, server, pluginPath),
    });
    const subjects = [floor, pod('a pod', undefined), pod("a pod with Debian's plugins", '/usr/lib/cni')];
    report(await interleave(subjects, runsFromArguments(7)));
  } finally {
    await home.close();
  }
}

async function measurePod(
  home: BenchHome,
  image: string,
  server: LoadServer,
  pluginPath: string | undefined,
): Promise<number[]> {
  const plugins = pluginPath === undefined ? ['-u', 'CNI_PATH'] : [`CNI_PATH=${pluginPath}`];
  let setUp = Number.NaN;
  const { megabytesPerSecond, requestsPerSecond } = await server.measure(async () => {
    const pod = timed(['env', ...plugins, ...home.argv(['run', '--net=default', image])]);
    setUp = await Promise.race([setUpTime(home.dataDirectory), pod.then(() => Number.NaN)]);
    await pod;
  });
  await timed(home.argv(['gc', '--grace-period=0s']));
  return [setUp, megabytesPerSecond, requestsPerSecond];
}

/**
 * Of the only pod, as soon as it is on its network, and as long as it is: milliseconds from before its first plugin was called until the
 * last one had ended, by the files that are written then.
 */
async function setUpTime(dataDirectory: string): Promise<number> {
  const run = join(dataDirectory, 'pods', 'run');
  for (;;) {
    const [uuid = ''] = existsSync(run) ? readdirSync(run) : [];
    const [from, to] = [POD.networkLock, POD.netInfo].map(
      (name) => statSync(join(run, uuid, name), { throwIfNoEntry: false })?.mtimeMs,
    );
    if (from !== undefined && to !== undefined) return to - from;
    await delay(20);
  }
}

async function writeLoadImage(home: BenchHome): Promise<string> {
  const [files, image] = [join(home.root, 'files'), join(home.root, 'load.aci')];
  mkdirSync(files);
  copyFileSync(await compile('network-app'), join(files, 'network-app'));
  return writeFileImage(image, {
    name: 'example.com/load',
    exec: ['/files/network-app', HOST],
    files,
  });
}

function report(measured: Awaited<ReturnType<typeof interleave>>): void {
  const of = (subject: number, column: number) => measured[subject]?.medians[column] ?? Number.NaN;
  const cell = (value: number, digits: number) => (Number.isNaN(value) ? '' : value.toFixed(digits));
  printTable([
    ['', 'set up, ms', 'MB/s to the host', 'requests/s'],
    ...measured.map(({ name, medians: [setUp = 0, stream = 0, requests = 0] }) => [
      ...[name, cell(setUp, 1), cell(stream, 0), cell(requests, 0)],
    ]),
  ]);
  printGoal("setting up the default network beside Debian's plugins", of(1, 0) / of(2, 0), SET_UP_GOAL);
  printLeast('throughput of TCP to the host beside the bare tap', of(1, 1) / of(0, 1), FLOOR_GOAL);
  printLeast('requests over TCP beside the bare tap', of(1, 2) / of(0, 2), FLOOR_GOAL);
}
