import { join } from 'node:path';
import { callsOf } from '../../src/supervisor/seccomp/architectures.ts';
import { compileProgram } from '../../tools/compile.ts';
import { buildDir, rootDir } from '../../tools/paths.ts';
import { TestSupportError } from './error.ts';

/** The directory of a static program, `call`, that makes calls of the kernel: `calls/call.ts`. */
export async function callsDirectory(): Promise<string> {
  const entry = join(rootDir, 'test/support/calls/call.ts');
  const outDir = join(buildDir, 'test-programs', 'calls');
  await compileProgram({ entry, name: 'call', outDir });
  return outDir;
}

type CallArgument = string | number;
export type Call = readonly [name: string, ...args: readonly CallArgument[]];

/** The command of a shell that makes these calls, one after the other, by the `call` of an image's files. */
export function shellCalls(...calls: readonly Call[]): string {
  const texts = calls.map(([name, ...args]) =>
    [numberOf(name), ...args].map((word) => `'${word}'`).join(' '),
  );
  return `/files/call ${texts.join(' -- ')}`;
}

function numberOf(name: string): number {
  const number = callsOf('x86-64').numbers.get(name);
  if (number === undefined) throw new TestSupportError('BAD_OUTPUT', `no system call is called ${name}`);
  return number;
}
