/**
 * The streams of one process, on both sides of the fork: what the child gets as 0, 1 and 2, and what PID 1 keeps and
 * joins to the data channel. A terminal belongs to the app's own devpts, so it is the child that opens it and
 * hands its other end over.
 */
import type { StreamsPlan } from '../src/abi/boot-plan.ts';
import { FRAME_MAX_BYTES } from '../src/abi/frames.ts';
import { writeFile } from '../src/native/contents.ts';
import { setNonBlocking, setPipeSize } from '../src/native/descriptors.ts';
import { unless } from '../src/native/errors.ts';
import { close, duplicate, open, open_ } from '../src/native/files.ts';
import { mount, ms } from '../src/native/mounts.ts';
import { chown } from '../src/native/paths.ts';
import { openPipe } from '../src/native/pipes.ts';
import { openPty, setControllingTerminal, setWindowSize } from '../src/native/ptys.ts';
import { exists, fstat } from '../src/native/stat.ts';
import type { HandedOutputs } from './handed-outputs.ts';

/** PID 1's end of a stream: bytes to the host (`source`) or from it (`sink`). */
export interface StreamEnd {
  readonly stream: number;
  readonly direction: 'source' | 'sink';
  readonly fd: number;
}

/** What the child turns into its standard streams. */
export type ChildStreams =
  | { readonly kind: 'pipes'; readonly fds: readonly [stdin: number, stdout: number, stderr: number] }
  | { readonly kind: 'terminal'; readonly rows: number; readonly columns: number };

export interface OpenedStreams {
  readonly ours: readonly StreamEnd[];
  readonly childs: ChildStreams;
}

/** The streams whose end the host is told. */
export function outputsOf(plan: StreamsPlan): readonly number[] {
  if (plan.kind === 'terminal') return [plan.stream];
  return plan.handed ? [] : [plan.stdout, plan.stderr];
}

/** The stream on which the host may send. */
export function inputOf(plan: StreamsPlan): number | null {
  return plan.kind === 'terminal' ? plan.stream : plan.stdin;
}

/** Before the fork. */
export function openStreams(plan: StreamsPlan, handed: HandedOutputs): OpenedStreams {
  if (plan.kind === 'terminal') return { ours: [], childs: plan };
  const ours: StreamEnd[] = [];
  const output = (stream: number): number => {
    const pipe = openPipe();
    setNonBlocking(pipe.read, true);
    // What fills a frame: the fewer there are, the faster is an app that writes much.
    unless(['EPERM'], () => setPipeSize(pipe.read, FRAME_MAX_BYTES));
    ours.push({ stream, direction: 'source', fd: pipe.read });
    return pipe.write;
  };
  const input = (stream: number): number => {
    const pipe = openPipe();
    setNonBlocking(pipe.write, true);
    ours.push({ stream, direction: 'sink', fd: pipe.write });
    return pipe.read;
  };
  const stdin = plan.stdin === null ? open('/dev/null', open_.readOnly) : input(plan.stdin);
  const outputs = plan.handed
    ? handed.take(plan.stdout)
    : ([output(plan.stdout), output(plan.stderr)] as const);
  return { ours, childs: { kind: 'pipes', fds: [stdin, ...outputs] } };
}

/** After the fork, in PID 1: only the child may hold these, or their other ends never see an end. */
export function closeChildStreams(childs: ChildStreams): void {
  if (childs.kind === 'pipes') for (const fd of childs.fds) close(fd);
}

/**
 * In the child, in its root. `owner` may then open its own streams by name (/dev/stdout), which the kernel checks
 * like any file. Gives the terminal's other end, which is PID 1's.
 */
export function takeStreams(childs: ChildStreams, owner: number, console: boolean): number | undefined {
  if (childs.kind === 'pipes') {
    childs.fds.forEach((fd, standard) => {
      if (owner !== 0) giveAway(fd, owner);
      duplicate(fd, standard, false);
    });
    return undefined;
  }
  const pty = openPty('/dev/ptmx');
  setNonBlocking(pty.controller, true);
  setWindowSize(pty.controller, childs);
  if (owner !== 0) chown(pty.terminal, owner, -1);
  setControllingTerminal(pty.terminal);
  for (const standard of [0, 1, 2]) duplicate(pty.terminal, standard, false);
  if (console) bindConsole(`/dev/pts/${pty.index}`);
  return pty.controller;
}

/** /dev/null, an app's stdin without a stream, is not the app's to own. */
function giveAway(fd: number, owner: number): void {
  if (fstat(fd).kind === 'fifo') chown(fd, owner, -1);
}

function bindConsole(terminal: string): void {
  if (!exists('/dev/console')) writeFile('/dev/console', '', 0o600);
  mount({ source: terminal, target: '/dev/console', flags: ms.bind });
}
