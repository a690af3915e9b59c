import { runTests } from './test-run.ts';

process.exitCode = await runTests({ RKT_TEST_SOAK: '1' });
