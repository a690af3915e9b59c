import { tinyImages } from '../test/support/images.ts';
import { floorKernel, prepareFloor } from './floor/machine.ts';
import { BenchHome } from './measure/home.ts';
import { lastPodMarks } from './measure/pod-marks.ts';
import { milliseconds, printGoal, printTable } from './measure/report.ts';
import { interleave, runsFromArguments, type Subject } from './measure/samples.ts';
import { timed } from './measure/timed.ts';

/** A pod's first byte may take this many times as long as the bare machine's, on the same kernel: Debian's loads modules for a pod. */
const GOALS = { debian: 1.35, own: 1.15 } as const;
const OWN_RELEASE = /-rkt$/;

const home = new BenchHome();
const image = (await tinyImages()).aci.plain;
const floorCommand = await prepareFloor();
const kernel = await floorKernel();
const podCommand = home.argv(['run', '--net=none', image, '--exec=/bin/echo', '--', 'up']);

const floor: Subject = {
  name: 'bare machine',
  measure: async () => {
    const { firstByte, exit } = await timed(floorCommand);
    return [firstByte, exit];
  },
};

/** Beside the two times, the parts that the first byte's time is made of. */
const pod: Subject = {
  name: 'rkt run',
  measure: async () => {
    const { startedAt, firstByte, exit } = await timed(podCommand);
    const { created, supervisor, ready } = lastPodMarks(home.dataDirectory);
    const parts = [
      created - startedAt,
      supervisor - created,
      ready - supervisor,
      startedAt + firstByte - ready,
    ];
    return [firstByte, exit, ...parts];
  },
};

const PARTS = [
  'Node starts, until there is a pod directory',
  'images, pod files, mounts, until the supervisor runs',
  'machine and PID 1, until the app is started',
  'the app, until its first byte is here',
];

try {
  const [bare, whole] = await interleave([floor, pod], runsFromArguments(9));
  const [bareFirst = Number.NaN, bareExit = Number.NaN] = bare?.medians ?? [];
  const [first = Number.NaN, exit = Number.NaN, ...parts] = whole?.medians ?? [];
  const row = (name: string, a: number, b: number) => [
    ...[name, milliseconds(a), (a / bareFirst).toFixed(2), milliseconds(b), (b / bareExit).toFixed(2)],
  ];
  printTable([
    [`median, kernel ${kernel}`, 'first byte', 'of bare', 'exit', 'of bare'],
    row(floor.name, bareFirst, bareExit),
    row(pod.name, first, exit),
  ]);
  const goal = GOALS[OWN_RELEASE.test(kernel) ? 'own' : 'debian'];
  printGoal('first byte of a pod beside the bare machine', first / bareFirst, goal);
  printTable([
    ['of which', ''],
    ...parts.map((part, index) => [PARTS[index] ?? '', milliseconds(part)]),
    ['a bare machine, for comparison', milliseconds(bareFirst)],
  ]);
} finally {
  await home.close();
}
