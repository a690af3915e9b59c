import { tinyImages } from '../test/support/images.ts';
import { prepareFloor } from './floor/machine.ts';
import { BenchHome } from './measure/home.ts';
import { milliseconds, printGoal, printTable } from './measure/report.ts';
import { interleave, runsFromArguments, type Subject } from './measure/samples.ts';
import { timed } from './measure/timed.ts';

/** A pod's first byte may take this many times as long as the bare machine's. */
const GOAL = 1.35;

const home = new BenchHome();
const image = (await tinyImages()).aci.plain;
const commands: Readonly<Record<'floor' | 'pod', readonly string[]>> = {
  floor: await prepareFloor(),
  pod: home.argv(['run', '--net=none', image, '--exec=/bin/echo', '--', 'up']),
};

function subject(name: keyof typeof commands): Subject {
  return {
    name,
    measure: async () => {
      const { firstByte, exit } = await timed(commands[name]);
      return [firstByte, exit];
    },
  };
}

try {
  const [floor, pod] = await interleave([subject('floor'), subject('pod')], runsFromArguments(9));
  const [floorFirst = Number.NaN, floorExit = Number.NaN] = floor?.medians ?? [];
  const [podFirst = Number.NaN, podExit = Number.NaN] = pod?.medians ?? [];
  printTable([
    ['median', 'first byte', 'of the floor', 'exit', 'of the floor'],
    ['bare machine', milliseconds(floorFirst), '1.00', milliseconds(floorExit), '1.00'],
    [
      'rkt run',
      milliseconds(podFirst),
      (podFirst / floorFirst).toFixed(2),
      milliseconds(podExit),
      (podExit / floorExit).toFixed(2),
    ],
  ]);
  printGoal('first byte of a pod beside the bare machine', podFirst / floorFirst, GOAL);
} finally {
  await home.close();
}
