import { program } from './program.ts';
import { runTests } from './test-run.ts';

await program(() => runTests({ RKT_TEST_SOAK: '1' }));
