import { program } from './program.ts';
import { runTests } from './test-run.ts';

await program(() => runTests({}));
