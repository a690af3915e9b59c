import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { POD } from '../src/abi/pod-directory.ts';
import { writeFileImage } from '../test/support/file-image.ts';
import { inherit } from '../tools/inherit.ts';
import { BareTap, compile, LoadServer } from './floor/network.ts';
import { leaveTapAlone, readySupervisor } from './floor/network-tap.ts';
import { BenchHome } from './measure/home.ts';
import { printGoal, printLeast, printTable } from './measure/report.ts';
import { interleave, runsFromArguments, type Subject } from './measure/samples.ts';
import { timed } from './measure/timed.ts';

/** Setting up the default network may take this much of the time that it takes with Debian's plugins. */
const SET_UP_GOAL = 0.5;
/** Of what a tap and no plugin gives the same pod, its network leaves so much. */
const FLOOR_GOAL = 0.9;
const INSIDE = 'RKT_BENCH_NETWORK';
/** The default network, and the host's end of it. */
const NETWORK = { subnet: '172.16.28.0/24', host: '172.16.28.1' };

// The host's own network is left alone: all of it is in namespaces of this program. And all of it is on one processor: a request waits for
// one after the other of QEMU's threads and the server, and whether these share a processor is chance, which may cost half of the rate.
if (process.env[INSIDE] === undefined) {
  const self = [process.execPath, '--import', 'tsx', fileURLToPath(import.meta.url)];
  const argv = ['--net', '--mount', 'taskset', '-c', lastProcessor(), ...self, ...process.argv.slice(2)];
  process.exitCode = await inherit('unshare', argv, { [INSIDE]: '1' });
} else {
  await measure();
}

/** Of those that this process may run on: what else there is on a machine tends to be on the first. */
function lastProcessor(): string {
  const [, last] = /^Cpus_allowed_list:.*?(\d+)$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  if (last === undefined) throw new Error('/proc/self/status names no processors');
  return last;
}

async function measure(): Promise<void> {
  const prepare = 'mkdir -p /var/lib/cni && mount -t tmpfs none /var/lib/cni && ip link set lo up';
  if (spawnSync('/bin/sh', ['-c', prepare], { stdio: 'inherit' }).status !== 0)
    throw new Error('no network of its own');
  const home = new BenchHome();
  try {
    const image = await writeLoadImage(home);
    const [server, bareTap] = [await LoadServer.prepare(), await BareTap.prepare()];
    const bare: Subject = {
      name: 'a bare machine and a tap',
      measure: async () => {
        const { megabytesPerSecond, requestsPerSecond } = await bareTap.measure(server);
        return [Number.NaN, megabytesPerSecond, requestsPerSecond];
      },
    };
    const pod = (name: string, kind: PodKind): Subject => ({
      name,
      measure: () => measurePod(home, image, server, kind),
    });
    const subjects = [
      pod('a pod, its tap alone', { tapAlone: true }),
      pod('a pod', {}),
      pod("a pod with Debian's plugins", { pluginPath: '/usr/lib/cni' }),
      bare,
    ];
    report(await interleave(subjects, runsFromArguments(7)));
  } finally {
    await home.close();
  }
}

interface PodKind {
  readonly pluginPath?: string;
  /** Whether its tap takes the place of all that plugins have made. */
  readonly tapAlone?: boolean;
}

/** The load comes when the pod has started: its app waits for somebody to listen. */
async function measurePod(
  home: BenchHome,
  image: string,
  server: LoadServer,
  { pluginPath, tapAlone = false }: PodKind,
): Promise<number[]> {
  const plugins = pluginPath === undefined ? ['-u', 'CNI_PATH'] : [`CNI_PATH=${pluginPath}`];
  const pod = timed(['env', ...plugins, ...home.argv(['run', '--net=default', image])]);
  const ended = pod.then(() => {
    throw new Error('the pod has ended by itself');
  });
  const setUp = await Promise.race([setUpTime(home.dataDirectory), ended]);
  const supervisor = await Promise.race([readySupervisor(home), ended]);
  const entering = tapAlone ? await leaveTapAlone(supervisor, NETWORK) : [];
  const { megabytesPerSecond, requestsPerSecond } = await server.measure(() => pod, entering);
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
    exec: ['/files/network-app', NETWORK.host],
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
  printLeast('throughput of TCP to the host beside the tap alone', of(1, 1) / of(0, 1), FLOOR_GOAL);
  printLeast('requests over TCP beside the tap alone', of(1, 2) / of(0, 2), FLOOR_GOAL);
}
