import { tinyImages } from '../test/support/images.ts';
import { ManyPods } from './many-pods/pods.ts';
import { startPod } from './many-pods/running-pod.ts';
import { milliseconds, printGoal, printTable } from './measure/report.ts';
import { interleave, runsFromArguments, type Subject } from './measure/samples.ts';
import { ScratchDisk } from './measure/scratch-disk.ts';
import { timed } from './measure/timed.ts';
import { rkt } from './pulled-image/clients.ts';

/** Beside `rkt version`, with a hundred pods in mixed states: listing them, and collecting all that have ended or expired. */
const LIST_GOAL = 2;
const GC_GOAL = 15;
const RUNNING = 2;

const disk = new ScratchDisk();
await disk.renew();
const data = `${disk.directory}/data`;
const argv = (args: readonly string[]) => [...rkt(disk.directory), '--insecure-options=image', ...args];
const pods = new ManyPods(data, disk.directory, argv);
const image = (await tinyImages()).aci.plain;
await pods.makeOriginals(image);
const running = await Promise.all(Array.from({ length: RUNNING }, () => startPod(argv, image)));

const collect = argv(['gc', '--grace-period=0s', '--expire-prepared=0s']);
const subjects: readonly Subject[] = [
  { name: 'rkt version', measure: async () => [(await timed(argv(['version']))).exit] },
  {
    name: 'rkt list',
    measure: async () => {
      pods.fill();
      // What was copied is on its way to the disk, and is not the command's.
      await timed(['sync', '-f', data]);
      return [(await timed(argv(['list']))).exit];
    },
  },
  {
    name: 'rkt gc',
    measure: async () => {
      const { exit } = await timed(collect);
      if (pods.left() !== RUNNING) throw new Error(`rkt gc has left ${pods.left()} pods, not ${RUNNING}`);
      return [exit];
    },
  },
];

try {
  const measured = await interleave(subjects, runsFromArguments(9));
  const [version = Number.NaN, list = Number.NaN, gc = Number.NaN] = measured.map((row) => row.medians[0]);
  printTable([
    [`${pods.count + RUNNING} pods`, 'median', 'of rkt version'],
    ...measured.map(({ name, medians: [time = Number.NaN] }) => [
      name,
      milliseconds(time),
      (time / version).toFixed(2),
    ]),
  ]);
  printGoal('rkt list of them beside rkt version', list / version, LIST_GOAL);
  printGoal(`rkt gc of all but the ${RUNNING} that run beside rkt version`, gc / version, GC_GOAL);
} finally {
  await Promise.all(running.map((pod) => pod.end('SIGQUIT')));
  await timed(collect);
  await disk.close();
}
