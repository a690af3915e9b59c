import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from './build.ts';
import { inherit } from './inherit.ts';
import { seconds } from './step.ts';
import { addCounts, type Counts, formatCounts, NO_TESTS, parseCounts } from './test-counts.ts';
import type { TestPass } from './test-passes.ts';

/** The checks before the tests: each is a program that complains by its exit code. */
const checks = [
  { name: 'lint', program: 'biome', args: ['check', '.'] },
  { name: 'types', program: 'tsc', args: ['-p', 'tsconfig.json'] },
  { name: 'types of the pod-side half', program: 'tsc', args: ['-p', 'tsconfig.pod.json'] },
] as const;

/**
 * Builds, checks and tests everything. Every part runs even when one before it has failed: a report is more
 * useful whole. Of several passes each has its counts in a line of its own; the last line printed is `N passed, N failed`, with `, N skipped` if there are such; a failed check counts as a failed test.
 */
export async function runTests(passes: readonly TestPass[]): Promise<number> {
  await build();
  const failedChecks = await runChecks();
  const lines: string[] = [];
  let total: Counts = { ...NO_TESTS, failed: failedChecks };
  for (const pass of passes) {
    const counts = await runVitest(pass);
    lines.push(`${pass.name}: ${formatCounts(counts)}\n`);
    total = addCounts(total, counts);
  }
  if (passes.length > 1) process.stdout.write(lines.join(''));
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

async function runVitest({ env, args }: TestPass): Promise<Counts> {
  const dir = await mkdtemp(join(tmpdir(), 'rkt-test-'));
  const report = join(dir, 'report.json');
  try {
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
    const status = await inherit('vitest', ['run', ...reporters, ...args], env);
    return parseCounts(await readFile(report, 'utf8').catch(() => ''), status);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
