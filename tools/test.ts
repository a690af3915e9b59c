import { runTests } from './test-run.ts';

process.exitCode = await runTests({});
