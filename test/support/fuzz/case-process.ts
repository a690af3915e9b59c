import { CaseRun } from './case-run.ts';

// A process of its own that runs every STEPth case from FIRST to before END: `case-process.ts BASE SEED FIRST STEP END`.

const [base = '', ...numbers] = process.argv.slice(2);
const [seed = 0, first = 0, step = 1, end = 0] = numbers.map(Number);
await using cases = await CaseRun.start(base, seed);
for (let index = first; index < end; index += step) process.send?.(await cases.run(index));
process.disconnect();
