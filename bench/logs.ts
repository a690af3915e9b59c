import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeLogRecord, LOG_RECORD_BYTES, segmentName, segmentNumbers } from '../src/abi/log.ts';
import { tinyImages } from '../test/support/images.ts';
import { BarePort } from './floor/port.ts';
import { DATA_BYTES, WRITE_BYTES } from './floor/port-load.ts';
import { BenchHome } from './measure/home.ts';
import { printLeast, printTable } from './measure/report.ts';
import { interleave, runsFromArguments, type Subject } from './measure/samples.ts';
import { timed } from './measure/timed.ts';

/** Of the throughput of the bare port, an app's output may lose so much on its way into the log. */
const GOAL = 0.7;

const home = new BenchHome();
const image = (await tinyImages()).aci.plain;
const barePort = await BarePort.prepare();

const floor: Subject = { name: 'bare port, to /dev/null', measure: async () => [await barePort.measure()] };

/** The log is larger than what is written, so that the first record is still there: it rotates all the same. */
const pod: Subject = {
  name: 'app, to its log',
  measure: async () => {
    const dd = ['if=/dev/zero', `bs=${WRITE_BYTES}`, `count=${DATA_BYTES / WRITE_BYTES}`];
    const flags = [
      'run',
      '--net=none',
      `--log-size=${4 * DATA_BYTES}`,
      image,
      '--name=app',
      '--exec=/bin/dd',
    ];
    const argv = home.argv([...flags, '--', ...dd]);
    await timed(['/bin/sh', '-c', '"$@" > /dev/null 2>&1', 'sh', ...argv]);
    const milliseconds = writingTime(home.dataDirectory);
    await timed(home.argv(['gc', '--grace-period=0s']));
    return [milliseconds];
  },
};

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

const megabytesPerSecond = (milliseconds: number) => DATA_BYTES / 1e3 / milliseconds;

try {
  const measured = await interleave([floor, pod], runsFromArguments(5));
  const [bare = Number.NaN, logged = Number.NaN] = measured.map(({ medians }) => medians[0] ?? Number.NaN);
  printTable([
    ['', 'MB/s', 'of the port'],
    ...measured.map(({ name, medians: [milliseconds = Number.NaN] }) => [
      name,
      megabytesPerSecond(milliseconds).toFixed(0),
      (bare / milliseconds).toFixed(2),
    ]),
  ]);
  printLeast('an app into its log beside the bare port', bare / logged, GOAL);
} finally {
  await home.close();
}
