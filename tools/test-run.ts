import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from './build.ts';
import { inherit } from './inherit.ts';
import { seconds } from './step.ts';
import { type Counts, formatCounts, parseCounts } from './test-counts.ts';

/** The checks before the tests: each is a program that complains by its exit code. */
const checks = [
  { name: 'lint', program: 'biome', args: ['check', '.'] },
  { name: 'types', program: 'tsc', args: ['-p', 'tsconfig.json'] },
  { name: 'types of the pod-side half', program: 'tsc', args: ['-p', 'tsconfig.pod.json'] },
] as const;

/**
 * Builds, checks and tests everything. Every part runs even when one before it has failed: a report is more
 * useful whole. The last line printed is `N passed, N failed`, with `, N skipped` if there are such; a failed check counts as a failed test.
 */
export async function runTests(env: Readonly<Record<string, string>>): Promise<number> {
  await build();
  const failedChecks = await runChecks();
  const counts = await runVitest(env);
  const total = { ...counts, failed: counts.failed + failedChecks };
  process.stdout.write(`${formatCounts(total)}\n`);
  return total.failed === 0 ? 0 : 1;
}

async function runChecks(): Promise<number> {
  let failed = 0;
  for (const { name, program, args } of checks) {
    const started = performance.now();
    const status = await inherit(program, args);
    if (status !== 0) failed += 1;
    process.stdout.write(`${name}: ${status === 0 ? 'clean' : 'failed'} (${seconds(started)})\n`);
  }
  return failed;
}

async function runVitest(env: Readonly<Record<string, string>>): Promise<Counts> {
  const dir = await mkdtemp(join(tmpdir(), 'rkt-test-'));
  const report = join(dir, 'report.json');
  try {
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
    const status = await inherit('vitest', ['run', ...reporters], env);
    return parseCounts(await readFile(report, 'utf8').catch(() => ''), status);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
