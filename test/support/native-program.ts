import { join } from 'node:path';
import { execa } from 'execa';
import { compileProgram } from '../../tools/compile.ts';
import { buildDir, rootDir } from '../../tools/paths.ts';

export interface ProgramRun {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number | undefined;
}

/** Compiles `test/guest/native-programs/NAME.ts` where its sources have changed; gives the executable's path. */
export function compileTestProgram(name: string): Promise<string> {
  const entry = join(rootDir, 'test', 'guest', 'native-programs', `${name}.ts`);
  return compileProgram({ entry, name: `native-${name}`, outDir: join(buildDir, 'test-programs') });
}

/** Runs a test program to its end, whatever its exit code. */
export async function runTestProgram(name: string, ...args: readonly string[]): Promise<ProgramRun> {
  const program = await compileTestProgram(name);
  const { stdout, stderr, exitCode } = await execa(program, args, { reject: false, timeout: 200_000 });
  return { stdout, stderr, exitCode };
}

/** What a test program that must succeed reports, as it wrote it: one JSON value. */
export async function reportOf(name: string, ...args: readonly string[]): Promise<unknown> {
  const { stdout, stderr, exitCode } = await runTestProgram(name, ...args);
  if (exitCode !== 0) throw new Error(`${name} ended with ${exitCode}: ${stderr}`);
  return JSON.parse(stdout);
}
