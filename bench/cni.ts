import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inherit } from '../tools/inherit.ts';
import { artefacts } from '../tools/paths.ts';
import { printGoal, printTable } from './measure/report.ts';
import { interleave, runsFromArguments, type Subject } from './measure/samples.ts';

/** Setting up the default network may take this much of the time that Debian's plugins take. */
const GOAL = 0.5;
const INSIDE = 'RKT_BENCH_NETWORK';

/** What a pod's network is unless it is told otherwise. */
const config = {
  cniVersion: '0.4.0',
  name: 'default',
  type: 'ptp',
  ipMasq: true,
  ipam: { type: 'host-local', subnet: '172.16.28.0/24', routes: [{ dst: '0.0.0.0/0' }] },
};

const sets: Readonly<Record<string, string>> = {
  "Debian's plugins": '/usr/lib/cni',
  'our plugins': artefacts.cniDirectory,
};

// The host's own network is left alone: all of it is in namespaces of this program.
if (process.env[INSIDE] === undefined) {
  process.env[INSIDE] = '1';
  const self = [
    process.execPath,
    '--import',
    'tsx',
    fileURLToPath(import.meta.url),
    ...process.argv.slice(2),
  ];
  process.exitCode = await inherit('unshare', ['--net', '--mount', ...self]);
} else {
  await measure();
}

async function measure(): Promise<void> {
  const prepare = 'mkdir -p /var/lib/cni && mount -t tmpfs none /var/lib/cni && ip link set lo up';
  run(['/bin/sh', '-c', prepare], {}, '');
  const container = spawn('unshare', ['--net', 'sleep', 'infinity'], { stdio: 'ignore' });
  try {
    await new Promise((resolve) => setTimeout(resolve, 500));
    const netns = `/proc/${container.pid}/ns/net`;
    const subjects = Object.entries(sets).map(
      ([name, directory]): Subject => ({ name, measure: async () => attach(directory, netns) }),
    );
    const floor: Subject = {
      name: 'a program that does nothing',
      measure: async () => [run(['/bin/true'], {}, ''), 0],
    };
    const measured = await interleave([...subjects, floor], runsFromArguments(41));
    const of = (index: number, column: number) => measured[index]?.medians[column] ?? Number.NaN;
    const cell = (value: number) => `${value.toFixed(1)} ms`;
    printTable([
      ['', 'ADD', 'DEL'],
      ...measured.map(({ name, medians: [add = 0, del = 0] }) => [name, cell(add), cell(del)]),
    ]);
    printGoal("setting up the default network beside Debian's plugins", of(1, 0) / of(0, 0), GOAL);
  } finally {
    container.kill('SIGKILL');
  }
}

function attach(directory: string, netns: string): number[] {
  const call = (command: string) =>
    run(
      [join(directory, config.type)],
      {
        CNI_COMMAND: command,
        CNI_CONTAINERID: 'bench',
        CNI_NETNS: netns,
        CNI_IFNAME: 'eth0',
        CNI_PATH: directory,
      },
      JSON.stringify(config),
    );
  return [call('ADD'), call('DEL')];
}

/** Milliseconds until a program that must succeed has ended. */
function run(
  [file = '', ...args]: readonly string[],
  env: Readonly<Record<string, string>>,
  input: string,
): number {
  const started = performance.now();
  const { status, stdout, stderr } = spawnSync(file, args, {
    input,
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  const took = performance.now() - started;
  if (status === 0) return took;
  throw new Error(`${file} ${args.join(' ')}: exit code ${status}\n${stdout}${stderr}`);
}
