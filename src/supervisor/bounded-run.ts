/** Running one of the system's tools while nothing else is to be done, whatever it does. */
import { monotonicMilliseconds, sleep } from '../native/clock.ts';
import { utf8Decode } from '../native/engine.ts';
import { unless } from '../native/errors.ts';
import { close, open, open_, readNow } from '../native/files.ts';
import type { NamespaceKind } from '../native/mounts.ts';
import { openPipe } from '../native/pipes.ts';
import { type ChildExit, kill, reap, waitFor } from '../native/processes.ts';
import { spawn } from '../native/spawn.ts';
import type { Step } from '../native/spawn-steps.ts';
import { printable } from './printable.ts';

const POLL_MILLISECONDS = 5;
const MOST_OUTPUT = 1024;
/** Not the caller's, which may tell the tool to do something else. */
const ENVIRONMENT: readonly string[] = ['PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'LC_ALL=C'];

export type BoundedRun =
  /** `said`: the beginning of what it wrote, on one line. */
  { readonly kind: 'succeeded' | 'failed'; readonly said: string } | { readonly kind: 'late' };

/** What a tool has beside its arguments. */
export interface Surroundings {
  /** Behind its standard streams. */
  readonly fds: readonly number[];
  readonly namespaces: readonly NamespaceKind[];
  readonly steps: readonly Step[];
}

const NO_SURROUNDINGS: Surroundings = { fds: [], namespaces: [], steps: [] };

/**
 * One that is not done in time is killed. It writes into a pipe that is read after its end, and is refused the write when
 * that is full. @throws SpawnError when it cannot be started
 */
export function runBounded(
  path: string,
  args: readonly string[],
  milliseconds: number,
  { fds: more, namespaces, steps: own }: Surroundings = NO_SURROUNDINGS,
): BoundedRun {
  const output = openPipe({ nonBlocking: true });
  const nothing = open('/dev/null', open_.readWrite);
  try {
    const fds = [nothing, output.write, output.write, ...more];
    const steps = [...own, { do: 'parent-death-signal', signal: 'SIGKILL' } as const];
    const pid = spawn({ path, argv: [path, ...args], env: ENVIRONMENT, fds, namespaces, steps });
    const ended = waitUntil(pid, monotonicMilliseconds() + milliseconds);
    if (ended === undefined) return { kind: 'late' };
    const { exit } = ended;
    const isFine = exit.kind === 'exited' && exit.code === 0;
    return { kind: isFine ? 'succeeded' : 'failed', said: whatItSaid(output.read) };
  } finally {
    for (const fd of [output.read, output.write, nothing]) close(fd);
  }
}

function waitUntil(pid: number, deadline: number): ChildExit | undefined {
  for (;;) {
    const ended = reap(pid);
    if (ended !== undefined) return ended;
    if (monotonicMilliseconds() > deadline) break;
    sleep(POLL_MILLISECONDS);
  }
  unless(['ESRCH'], () => kill(pid, 'SIGKILL'));
  waitFor(pid);
  return undefined;
}

function whatItSaid(fd: number): string {
  const buffer = new Uint8Array(MOST_OUTPUT);
  const count = readNow(fd, buffer) ?? 0;
  return printable(utf8Decode(buffer.slice(0, count)));
}
