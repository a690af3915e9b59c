import { program } from './program.ts';
import { soakPasses } from './test-passes.ts';
import { runTests } from './test-run.ts';

await program(() => runTests(soakPasses()));
