import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { decodeLogRecord, LOG_RECORD_BYTES, segmentName, segmentNumbers } from '../src/abi/log.ts';
import { FLAVOURS, type Flavour } from '../test/support/flavours.ts';
import { tinyImages } from '../test/support/images.ts';
import { BarePort } from './floor/port.ts';
import { DATA_BYTES, WRITE_BYTES } from './floor/port-load.ts';
import { BenchHome } from './measure/home.ts';
import { printLeast, printTable } from './measure/report.ts';
import { interleave, runsFromArguments, type Subject } from './measure/samples.ts';
import { timed } from './measure/timed.ts';

/** Of the throughput of the bare port, an app's output keeps so much on its way into the log. */
const GOAL = 0.7;
/** Without a machine: of that of a pipe into a file. */
const GOAL_IN_NAMESPACES = 0.5;

const home = new BenchHome();
const image = (await tinyImages()).aci.plain;
const barePort = await BarePort.prepare();
const DD = ['if=/dev/zero', `bs=${WRITE_BYTES}`, `count=${DATA_BYTES / WRITE_BYTES}`];

const floor: Subject = { name: 'bare port, to /dev/null', measure: async () => [await barePort.measure()] };

/** The same program as in the pods, on the host. */
const pipe: Subject = {
  name: 'app | cat > file',
  measure: async () => {
    const app = [join(dirname(image), 'rootfs/bin/busybox'), 'dd', ...DD];
    const file = join(home.root, 'output');
    const script = 'file=$1; shift; "$@" 2> /dev/null | cat > "$file"';
    const { exit } = await timed(['/bin/sh', '-c', script, 'sh', file, ...app]);
    rmSync(file);
    return [exit];
  },
};

/** The log is larger than what is written, so that the first record is still there: it rotates all the same. */
function pod(name: string, { image: stage1 }: Flavour): Subject {
  const log = `--log-size=${4 * DATA_BYTES}`;
  const app = [image, '--name=app', '--exec=/bin/dd', '--', ...DD];
  return {
    name,
    measure: async () => {
      const argv = home.argv(['run', '--net=none', `--stage1-path=${stage1}`, log, ...app]);
      await timed(['/bin/sh', '-c', '"$@" > /dev/null 2>&1', 'sh', ...argv]);
      const milliseconds = writingTime(home.dataDirectory);
      await timed(home.argv(['gc', '--grace-period=0s']));
      return [milliseconds];
    },
  };
}

/** From the first record of the only pod's log to the last. */
function writingTime(dataDirectory: string): number {
  const run = join(dataDirectory, 'pods', 'run');
  const [uuid = ''] = readdirSync(run);
  const directory = join(run, uuid, 'logs', 'app');
  const numbers = segmentNumbers(readdirSync(directory), 'stdout');
  const times = numbers.flatMap((number) => {
    const bytes = readFileSync(join(directory, segmentName('stdout', number, 'index')));
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    return [0, bytes.length - LOG_RECORD_BYTES].map((at) => decodeLogRecord(view, at)?.time ?? Number.NaN);
  });
  return (Math.max(...times) - Math.min(...times)) / 1000;
}

function flavour(ownKernel: boolean): Flavour {
  const found = FLAVOURS.find((flavour) => flavour.ownKernel === ownKernel);
  if (found === undefined) throw new Error('no such flavour');
  return found;
}

const megabytesPerSecond = (milliseconds: number) => DATA_BYTES / 1e3 / milliseconds;

try {
  const subjects = [
    floor,
    pod('app in a machine, to its log', flavour(true)),
    pipe,
    pod('app in namespaces, to its log', flavour(false)),
  ];
  const measured = await interleave(subjects, runsFromArguments(5));
  const times = measured.map(({ medians }) => medians[0] ?? Number.NaN);
  printTable([
    ['', 'MB/s'],
    ...measured.map(({ name }, index) => [name, megabytesPerSecond(times[index] ?? Number.NaN).toFixed(0)]),
  ]);
  const [bare = Number.NaN, inMachine = Number.NaN, piped = Number.NaN, inNamespaces = Number.NaN] = times;
  printLeast('an app into its log beside the bare port', bare / inMachine, GOAL);
  printLeast('in namespaces beside app | cat > file', piped / inNamespaces, GOAL_IN_NAMESPACES);
} finally {
  await home.close();
}
