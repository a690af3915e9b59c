import { readFileSync } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compileProgram } from '../../tools/compile.ts';
import { rootDir } from '../../tools/paths.ts';
import { compileTestProgram, runTestProgram } from '../support/native-program.ts';

const source = 'test/guest/native-programs/errors.ts';

/** The line of the program's source that holds this text. */
function lineOf(text: string): string {
  const lines = readFileSync(join(rootDir, source), 'utf8').split('\n');
  return `${source}:${lines.findIndex((line) => line.includes(text)) + 1}`;
}

describe('an uncaught error', () => {
  it('is printed with TypeScript lines, after everything in use was released', async () => {
    const { stdout, stderr, exitCode } = await runTestProgram('errors', 'thrown');
    expect(exitCode).toBe(125);
    expect(stdout).toBe('released before the error');
    expect(stderr).toMatch(/^SystemError: ENOENT: no such file or directory, openat '\/no\/such\/file'\n/);
    expect(stderr).toContain(`at failing (${lineOf("readText('/no/such/file')")})`);
    expect(stderr).toMatch(/at readText \(src\/native\/contents\.ts:\d+\)/);
  });

  it('is printed with its causes', async () => {
    const { stderr, exitCode } = await runTestProgram('errors', 'caused');
    expect(exitCode).toBe(125);
    expect(stderr).toMatch(/^Error: cannot read the plan\n[\s\S]*\ncaused by SystemError: ENOENT/);
  });

  it('of a promise ends the program once all jobs ran', async () => {
    const { stdout, stderr, exitCode } = await runTestProgram('errors', 'rejected');
    expect([exitCode, stdout]).toEqual([125, 'before the jobs']);
    expect(stderr).toContain(`Error: nobody listens\n    at rejected (${lineOf('nobody listens')})`);
  });

  it('of an async function names its line', async () => {
    const { stderr, exitCode } = await runTestProgram('errors', 'async');
    expect(exitCode).toBe(125);
    expect(stderr).toContain('SystemError: ENOENT');
    expect(stderr).toContain(`at failing (${lineOf("readText('/no/such/file')")})`);
  });

  it('may be text, or a stack without end', async () => {
    expect(await runTestProgram('errors', 'string')).toMatchObject({
      stderr: 'uncaught: only text',
      exitCode: 125,
    });
    const deep = await runTestProgram('errors', 'deep');
    expect([deep.exitCode, deep.stderr.split('\n')[0]]).toEqual([125, 'InternalError: stack overflow']);
  });
});

it('lets a rejection be handled before the jobs are done', async () => {
  expect(await runTestProgram('errors', 'handled')).toEqual({ stdout: 'handled', stderr: '', exitCode: 0 });
});

it('exits at once with the code it was given', async () => {
  expect(await runTestProgram('errors', 'exit')).toEqual({ stdout: '', stderr: '', exitCode: 7 });
});

describe('the compiler', () => {
  it('makes the same bytes of the same sources, small', async () => {
    const first = await compileTestProgram('errors');
    const dir = await mkdtemp(join(tmpdir(), 'rkt-compile-'));
    try {
      const entry = join(rootDir, source);
      const second = await compileProgram({ entry, name: 'native-errors-again', outDir: dir });
      expect(readFileSync(second).equals(readFileSync(first))).toBe(true);
      expect((await stat(first)).size).toBeLessThan(1_000_000);
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  });

  it('names the line of what the engine cannot compile', async () => {
    const entry = join(rootDir, 'test/guest/native-programs/no-such-program.ts');
    await expect(compileProgram({ entry, name: 'native-none', outDir: tmpdir() })).rejects.toThrow(
      'no-such-program',
    );
  });
});
