/**
 * Starting a program. What happens in the child between fork and exec is a list of steps made before the fork;
 * one that fails comes back to the parent, through a pipe that a successful exec closes, as a SpawnError that
 * names the step.
 */
import { readToEnd } from './contents.ts';
import { duplicateAbove } from './descriptors.ts';
import { exit, utf8Decode, utf8Encode } from './engine.ts';
import { errnoOf } from './errno.ts';
import { SystemError } from './errors.ts';
import { close, duplicate, writeAll } from './files.ts';
import { type NamespaceKind, setNamespace } from './mounts.ts';
import { hasReader, openPipe, type Pipe } from './pipes.ts';
import { closeOnExecFrom, execve, fork, forkInto, forkSibling, waitFor } from './processes.ts';
import { resetSignals } from './signals.ts';
import { performStep, type Step } from './spawn-steps.ts';

export interface SpawnPlan {
  /** Taken as it is: no search in PATH. */
  readonly path: string;
  /** Program name first. */
  readonly argv: readonly string[];
  readonly env: readonly string[];
  /** The child's fds 0, 1, 2 ... are these fds of the parent. It has no others. */
  readonly fds: readonly number[];
  /** In this order, after the fds are in place. A step's `fd` is the parent's number. */
  readonly steps?: readonly Step[];
  /** New namespaces that the child starts in. */
  readonly namespaces?: readonly NamespaceKind[];
  /** A control group of v2 that the child starts in, an open directory. */
  readonly group?: number;
  /** The user namespace that the new namespaces belong to; before all steps. Without it they are of this process's. */
  readonly users?: {
    readonly fd: number;
    /** What who enters it may not do any more: nothing that concerns the child alone. */
    readonly before: readonly Step[];
  };
}

/** Why a program did not start. `step` is one of `Step`, or `signals`, `fds`, `exec`. */
export class SpawnError extends SystemError {
  readonly step: string;

  constructor(step: string, refusal: Refusal) {
    super(refusal.syscall, refusal.errno, refusal.path === undefined ? {} : { path: refusal.path });
    this.name = 'SpawnError';
    this.step = step;
    if (refusal.words !== undefined) this.message = refusal.words;
  }
}

interface Refusal {
  readonly syscall: string;
  readonly errno: number;
  readonly path?: string;
  /** Of an error of the step's own. */
  readonly words?: string;
}

const EXIT_FAILED = 125;

/** The pid of the started program: its exec has happened. Blocks for as long as the steps take. */
export function spawn(plan: SpawnPlan): number {
  const report = openPipe();
  const pid = plan.users === undefined ? start(plan, report) : startWithUsers(plan, plan.users, report);
  close(report.write);
  const failure = utf8Decode(readToEnd(report.read) ?? new Uint8Array(0));
  close(report.read);
  if (failure === '' && pid !== undefined) return pid;
  if (pid !== undefined) waitFor(pid);
  throw failure === '' ? new SystemError('clone', errnoOf('ESRCH')) : parseFailure(failure);
}

function start(plan: SpawnPlan, report: Pipe): number {
  const pid = forkFor(plan, plan.namespaces ?? []);
  if (pid === 0) becomeProgram(plan, report);
  return pid;
}

function forkFor({ group }: SpawnPlan, namespaces: readonly NamespaceKind[]): number {
  return group === undefined ? fork(...namespaces) : forkInto(group, ...namespaces);
}

type Users = NonNullable<SpawnPlan['users']>;

/**
 * Who has entered a user namespace does not come back: a process between this one and its child enters it, and ends when it has given
 * birth. Undefined: the failure is in the report.
 */
function startWithUsers(plan: SpawnPlan, users: Users, report: Pipe): number | undefined {
  const born = openPipe();
  const between = forkFor(plan, []);
  if (between === 0) giveBirth(plan, users, report, born);
  close(born.write);
  const pid = utf8Decode(readToEnd(born.read) ?? new Uint8Array(0));
  close(born.read);
  waitFor(between);
  return pid === '' ? undefined : Number(pid);
}

function giveBirth(plan: SpawnPlan, users: Users, report: Pipe, born: Pipe): never {
  let doing = 'user namespace';
  try {
    for (const step of users.before) {
      doing = step.do;
      performStep(step, () => true);
    }
    doing = 'user namespace';
    setNamespace(users.fd, 'user');
    const pid = forkSibling(...(plan.namespaces ?? []));
    if (pid === 0) {
      close(born.write);
      becomeProgram(plan, report);
    }
    writeAll(born.write, utf8Encode(String(pid)));
  } catch (error) {
    reportFailure(report.write, doing, error);
  } finally {
    exit(0);
  }
  throw new Error('unreachable');
}

/** The child's half. It must never return into the parent's code. */
function becomeProgram(plan: SpawnPlan, report: Pipe): never {
  let doing = 'signals';
  let status = report.write;
  try {
    // Only the parent reads now. Its pid would not tell whether it lives: in a new pid namespace, every parent is 0.
    close(report.read);
    const hasParent = () => hasReader(status);
    resetSignals();
    doing = 'fds';
    const { steps, moved } = placeFds(plan, report.write);
    status = moved;
    for (const step of steps) {
      doing = step.do === 'call' ? step.name : step.do;
      performStep(step, hasParent);
    }
    doing = 'exec';
    execve(plan.path, plan.argv, plan.env);
  } catch (error) {
    reportFailure(status, doing, error);
  } finally {
    exit(EXIT_FAILED);
  }
  throw new Error('unreachable');
}

/**
 * Moves everything that is still needed out of the way, then puts the program's fds in their places. The rest
 * closes on exec.
 */
function placeFds(plan: SpawnPlan, report: number): { steps: readonly Step[]; moved: number } {
  const count = plan.fds.length;
  const moved = duplicateAbove(report, count);
  const steps = (plan.steps ?? []).map((step) =>
    'fd' in step ? { ...step, fd: duplicateAbove(step.fd, count) } : step,
  );
  const sources = plan.fds.map((fd) => duplicateAbove(fd, count));
  sources.forEach((source, place) => {
    duplicate(source, place, false);
  });
  closeOnExecFrom(count);
  return { steps, moved };
}

function reportFailure(fd: number, step: string, error: unknown): void {
  const refusal: Refusal =
    error instanceof SystemError
      ? {
          syscall: error.syscall,
          errno: error.errno,
          ...(error.path === undefined ? {} : { path: error.path }),
        }
      : {
          syscall: step,
          errno: errnoOf('EINVAL'),
          words: error instanceof Error ? error.message : String(error),
        };
  writeAll(fd, utf8Encode(JSON.stringify({ step, ...refusal })));
}

/** What the child wrote; it is this program's own text. */
function parseFailure(text: string): SpawnError {
  const { step, ...refusal } = JSON.parse(text) as Refusal & { readonly step: string };
  return new SpawnError(step, refusal);
}
