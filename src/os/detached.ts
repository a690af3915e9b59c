import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Program } from './exec.ts';

/** A program that goes on when we have gone. */
export interface DetachedProcess {
  /** Its exit code, as a shell would see it. Rejects when it could not be started. */
  readonly ended: Promise<number>;
  signal(name: NodeJS.Signals): void;
  /** It keeps this process no longer. */
  leave(): void;
}

/**
 * Starts a program as the leader of a session of its own: it has no terminal, and no end of ours is told to it. It reads
 * nothing, its stdout goes nowhere; `fds` of the program are its 3, 4, 5 and so on.
 */
export function startDetached(program: Program, directory: string, stderr: number): DetachedProcess {
  const [argv0 = program.path, ...args] = program.argv;
  const child = spawn(program.path, args, {
    argv0,
    cwd: directory,
    detached: true,
    env: Object.fromEntries(program.environment.map(splitVariable)),
    stdio: ['ignore', 'ignore', stderr, ...program.fds],
  });
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) =>
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])),
    );
  });
  return {
    ended,
    signal: (name) => void child.kill(name),
    leave: () => child.unref(),
  };
}

function splitVariable(variable: string): [string, string] {
  const at = variable.indexOf('=');
  return [variable.slice(0, at), variable.slice(at + 1)];
}
