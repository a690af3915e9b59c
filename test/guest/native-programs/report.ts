import { readToEnd } from '../../../src/native/contents.ts';
import { utf8Decode, utf8Encode } from '../../../src/native/engine.ts';
import { SystemError } from '../../../src/native/errors.ts';
import { close, writeAll } from '../../../src/native/files.ts';
import { openPipe } from '../../../src/native/pipes.ts';
import { type Exit, waitFor } from '../../../src/native/processes.ts';
import { SpawnError, type SpawnPlan, spawn } from '../../../src/native/spawn.ts';

/** Writes a program's one result for its test. */
export function report(value: unknown): void {
  writeAll(1, utf8Encode(JSON.stringify(value)));
}

export interface Ran {
  readonly code: number;
  readonly output: string;
}

/** Runs a program to its end; its standard output and error come back as text. */
export function run(path: string, args: readonly string[], plan: Partial<SpawnPlan> = {}): Ran {
  const pipe = openPipe();
  const pid = spawn({ path, argv: [path, ...args], env: [], fds: [0, pipe.write, pipe.write], ...plan });
  close(pipe.write);
  const output = utf8Decode(readToEnd(pipe.read) ?? new Uint8Array(0));
  close(pipe.read);
  return { code: codeOf(waitFor(pid).exit), output };
}

/** As a shell reports it: the code, or 128 and the signal's number. */
export function codeOf(exit: Exit): number {
  return exit.kind === 'exited' ? exit.code : 128 + exit.signal;
}

/** The refusal of an action, in words. */
export function refusal(action: () => unknown): string {
  try {
    action();
    return 'not refused';
  } catch (error) {
    if (error instanceof SpawnError) return `${error.step}: ${error.code}`;
    return error instanceof SystemError ? error.code : String(error);
  }
}
