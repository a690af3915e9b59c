import { execa } from 'execa';
import { rootDir } from './paths.ts';

/** Runs a program in the project's folder with our own streams; gives its exit code. */
export async function inherit(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<number> {
  const result = await execa(program, args, {
    cwd: rootDir,
    env,
    stdio: 'inherit',
    reject: false,
    preferLocal: true,
  });
  return result.exitCode ?? 1;
}
