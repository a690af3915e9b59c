import { spawn } from 'node:child_process';

export interface Timed {
  /** In milliseconds since the epoch, as file times are. */
  readonly startedAt: number;
  /** Milliseconds from the start to the first byte on stdout; NaN when there was none. */
  readonly firstByte: number;
  /** Milliseconds from the start until the process had ended and its output was read. */
  readonly exit: number;
}

/** Runs a command to its end. Throws when it fails: the time of a failure is no measurement. */
export function timed([file = '', ...args]: readonly string[]): Promise<Timed> {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const startedAt = performance.timeOrigin + started;
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const stderr: Buffer[] = [];
    let firstByte = Number.NaN;
    child.stdout.once('data', () => {
      firstByte = performance.now() - started;
    });
    child.stdout.resume();
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.once('error', reject);
    child.once('close', (code) => {
      const exit = performance.now() - started;
      if (code === 0) resolve({ startedAt, firstByte, exit });
      else reject(new Error(`${file} ${args.join(' ')}: exit code ${code}\n${Buffer.concat(stderr)}`));
    });
  });
}
