import type { Readable, Writable } from 'node:stream';
import type { CopyPlan } from '../abi/copy-plan.ts';
import { EXIT } from '../abi/exit-code.ts';
import type { ExportRoot } from '../abi/export-plan.ts';
import { formatControlArguments } from '../abi/stage1.ts';
import { type PodReference, podPath } from '../pod/directory.ts';
import { findEntrypoint } from './entrypoint.ts';
import { Stage0Error } from './errors.ts';
import { rktMountPath } from './installation.ts';

/** How a program at one end of a copy ended: what it has left out, and why it did not do all, if it said so. */
export interface Outcome {
  readonly failed: boolean;
  readonly problem: string | undefined;
  readonly notes: readonly string[];
}

/** One that archives files. */
export interface Sender {
  readonly stdout: Readable;
  readonly outcome: Promise<Outcome>;
}

/** One that makes files of an archive. */
export interface Taker {
  readonly stdin: Writable;
  readonly outcome: Promise<Outcome>;
}

/** A program, and where it runs. */
export interface Copier {
  readonly path: string;
  readonly args: readonly string[];
  readonly cwd: string;
}

/** What lines of hostile names may take, as many as are told of. */
const STDERR_MAX = 256 * 1024;
const MOST_CODES_OF_THEIR_OWN = 128;

/** For files of a running app, which its guest has in its memory: PID 1 copies them. Throws Stage0Error `bad-stage1`. */
export function guestCopier(pod: PodReference, app: string, plan: CopyPlan): Copier {
  // Where running pods are: it may have been found a moment earlier.
  const cwd = podPath({ ...pod, phase: 'run' });
  const path = findEntrypoint(cwd, 'control');
  if (path === undefined) throw new Stage0Error('bad-stage1', "the pod's stage1 has no control entrypoint");
  const request = JSON.stringify({ type: 'copy', app, plan });
  return { path, args: formatControlArguments({ uuid: pod.uuid, request }), cwd };
}

/** For files of an app that has ended, or of this host. */
export function sourceCopier(
  cwd: string,
  root: ExportRoot,
  { path, name }: { readonly path: string; readonly name: string },
): Copier {
  const plan = JSON.stringify({ root, path, name, purpose: 'copy' });
  return { path: rktMountPath(), args: ['--export', plan], cwd };
}

/** Makes files of this host. */
export function targetCopier(path: string, name: string): Copier {
  const plan: CopyPlan = { direction: 'in', path, name };
  return { path: rktMountPath(), args: ['--import', JSON.stringify(plan)], cwd: '/' };
}

export async function startSender(
  { path, args, cwd }: Copier,
  signal: AbortSignal | undefined,
): Promise<Sender> {
  const { run } = await import('../os/run.ts');
  const child = run(path, args, { ...options(cwd, signal), stdin: 'ignore' });
  return { stdout: child.stdout, outcome: child.then(outcomeOf) };
}

export async function startTaker(
  { path, args, cwd }: Copier,
  signal: AbortSignal | undefined,
): Promise<Taker> {
  const { run } = await import('../os/run.ts');
  const child = run(path, args, { ...options(cwd, signal), stdin: 'pipe' });
  return { stdin: child.stdin, outcome: child.then(outcomeOf) };
}

function options(cwd: string, signal: AbortSignal | undefined) {
  return {
    cwd,
    reject: false,
    encoding: 'buffer',
    buffer: { stdout: false, stderr: true },
    maxBuffer: STDERR_MAX,
    ...(signal === undefined ? {} : { cancelSignal: signal }),
  } as const;
}

interface Ended {
  readonly failed: boolean;
  readonly exitCode?: number | undefined;
  readonly stderr?: unknown;
}

function outcomeOf({ failed, exitCode, stderr }: Ended): Outcome {
  const text = stderr instanceof Uint8Array ? Buffer.from(stderr).toString('utf8') : '';
  const notes = text.split('\n').filter((line) => line !== '');
  // The stage1's own word for itself says nothing to whoever copies.
  if (exitCode === EXIT.failure) return { failed, problem: notes.pop()?.replace(/^control: /, ''), notes };
  // By a signal: whoever reads what it wrote has gone, and knows why.
  const isOwnEnd = failed && exitCode !== undefined && exitCode < MOST_CODES_OF_THEIR_OWN;
  return { failed, problem: isOwnEnd ? `copying ended with code ${exitCode}` : undefined, notes };
}
