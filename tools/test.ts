import { program } from './program.ts';
import { USUAL } from './test-passes.ts';
import { runTests } from './test-run.ts';

await program(() => runTests(USUAL));
