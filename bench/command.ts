import { join } from 'node:path';
import { artefacts, rootDir } from '../tools/paths.ts';
import { milliseconds, printGoal, printTable } from './measure/report.ts';
import { interleave, runsFromArguments, type Subject } from './measure/samples.ts';
import { timed } from './measure/timed.ts';

/** `rkt version` may take this many times as long as Node itself. */
const GOAL = 1.35;

const commands: Readonly<Record<string, readonly string[]>> = {
  'node -e 0': ['node', '-e', '0'],
  'rkt version': [join(rootDir, 'bin', 'rkt'), 'version'],
  'rkt list': [join(rootDir, 'bin', 'rkt'), `--dir=${artefacts.rktBundle}.absent`, 'list'],
};

const subjects = Object.entries(commands).map(
  ([name, argv]): Subject => ({ name, measure: async () => [(await timed(argv)).exit] }),
);
const measured = await interleave(subjects, runsFromArguments(25));
const exit = (name: string) => measured.find((row) => row.name === name)?.medians[0] ?? Number.NaN;
const node = exit('node -e 0');
printTable([
  ['', 'median', 'of node'],
  ...measured.map(({ name }) => [name, milliseconds(exit(name)), (exit(name) / node).toFixed(2)]),
]);
printGoal('rkt version beside node -e 0', exit('rkt version') / node, GOAL);
