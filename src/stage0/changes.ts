/** What an app of an exited pod has changed, where its root was on disks of a machine: brought to where commands look for it. */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { formatChangesArguments } from '../abi/changes-arguments.ts';
import { type MountStep, parseMountPlan } from '../abi/mount-plan.ts';
import { appRootfs, POD } from '../abi/pod-directory.ts';
import { parsePodRoots, type RootDisksPlan } from '../abi/root-disks.ts';
import { entrypointAnnotation, VM_IDS_ENV } from '../abi/stage1.ts';
import { annotationValue } from '../appc/index.ts';
import { unpackChanges } from '../image/index.ts';
import { openDirectory } from '../os/descriptor.ts';
import { exchangeNames } from '../os/directory-entries.ts';
import { syncDirectory } from '../os/durable.ts';
import { exclusive } from '../os/lock.ts';
import { removeAny, syncFileSystem } from '../os/tree.ts';
import type { HeldPod } from '../pod/hold.ts';
import { archivingChild, linesOf } from './archiving-child.ts';
import { stage1Annotations } from './entrypoint.ts';
import { Stage0Error } from './errors.ts';
import type { Host } from './host.ts';
import { makeClosedDirectory } from './pod-files.ts';
import { vmIds } from './supervisor.ts';

/** Headers of an archive, for as many files as a disk has inodes, are no more than what it holds. */
const MORE_BYTES = 64 * 1024 ** 2;

/**
 * The disk's file system was a guest's to make up: a machine of its own reads it, once, and what that tells is taken as any image's archive is.
 * `leftOut` is told what is not in there. Throws Stage0Error `bad-tree`, ImageError, TarError.
 */
export async function readyChanges(
  host: Host,
  { path, reference }: HeldPod,
  app: string,
  leftOut: (line: string) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  const roots = rootsOf(path);
  // A pod that was killed before it had a disk has changed nothing.
  if (roots === undefined || !existsSync(join(path, POD.scratch))) return;
  const unpacked = join(path, POD.unpacked);
  mkdirSync(unpacked, { recursive: true, mode: 0o700 });
  using _lock = await exclusive(unpacked, signal);
  const mark = join(unpacked, app);
  if (existsSync(mark)) return;
  const step = stepOf(path, app);
  clearStage1Work(path);
  makeClosedDirectory(join(path, POD.staging));
  const draft = join(path, POD.staging, `changes-${app}`);
  removeAny(draft);
  mkdirSync(draft, { mode: 0o700 });
  try {
    await unpackInto(draft, step, { host, path, uuid: reference.uuid, app, roots, leftOut, signal });
    await keep(draft, join(path, upperOf(step)));
    writeFileSync(mark, '', { mode: 0o600 });
    syncDirectory(unpacked);
  } finally {
    removeAny(draft);
  }
}

interface Unpacking {
  readonly host: Host;
  readonly path: string;
  readonly uuid: string;
  readonly app: string;
  readonly roots: RootDisksPlan;
  readonly leftOut: (line: string) => void;
  readonly signal: AbortSignal | undefined;
}

async function unpackInto(target: string, step: MountStep, unpacking: Unpacking): Promise<void> {
  const { host, path, uuid, app, roots, leftOut, signal } = unpacking;
  const entrypoint = annotationValue(stage1Annotations(path), entrypointAnnotation('changes'));
  if (entrypoint === undefined)
    throw new Stage0Error('bad-stage1', "the pod's stage1 has no entrypoint that reads its disk");
  const words = [join(POD.stage1Rootfs, entrypoint), ...formatChangesArguments({ uuid, app })];
  const env = { [VM_IDS_ENV]: vmIds(host.configuration) };
  const { child } = await archivingChild(words, { cwd: path, env, signal });
  const lower = step.kind === 'overlay' ? step.lower.map((name) => join(step.lowerBase, name)) : [];
  const mostBytes = 2 * roots.scratchBytes + MORE_BYTES;
  const taken = await unpackChanges(child.stdout, { target, lower, mostBytes, signal }).then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  // Whoever is not read any more would not end.
  if (taken !== undefined) child.stdout.destroy();
  const { failed, stderr, shortMessage } = await child;
  signal?.throwIfAborted();
  const said = linesOf(stderr);
  // Of an archive that is cut short the reason is what has cut it.
  if (failed)
    throw new Stage0Error('bad-tree', problemOf(said.at(-1) ?? shortMessage ?? 'no reason was told'));
  if (taken !== undefined) throw taken.error;
  said.forEach(leftOut);
}

/** What the archiving process says of a file stands for itself. */
function problemOf(line: string): string {
  const own = /^(?:changes|run|rkt-mount): (.*)$/.exec(line)?.[1];
  return own === undefined ? line : `the scratch disk cannot be read: ${own}`;
}

/** In the place of the upper directory, which is empty but for what an earlier attempt has brought there. */
async function keep(draft: string, upper: string): Promise<void> {
  using from = openDirectory(dirname(draft));
  using to = openDirectory(dirname(upper));
  await syncFileSystem(from);
  exchangeNames(from, basename(draft), to, basename(upper));
  syncDirectory(dirname(upper));
}

function rootsOf(path: string): RootDisksPlan | undefined {
  const file = join(path, POD.rootDisks);
  if (!existsSync(file)) return undefined;
  const plan = parsePodRoots(JSON.parse(readFileSync(file, 'utf8')));
  return plan.kind === 'block' ? plan : undefined;
}

/** The stage1's root is mounted once more, which overlayfs refuses as long as it remembers that nothing of it was to be kept. */
function clearStage1Work(path: string): void {
  const step = mountedAt(path, POD.stage1Rootfs);
  if (step?.kind !== 'overlay') return;
  removeAny(join(path, step.work));
  mkdirSync(join(path, step.work), { recursive: true, mode: 0o750 });
}

function mountedAt(path: string, place: string): MountStep | undefined {
  const { mounts } = parseMountPlan(JSON.parse(readFileSync(join(path, POD.mountPlan), 'utf8')));
  return mounts.find(({ target }) => target === place);
}

function stepOf(path: string, app: string): MountStep {
  const step = mountedAt(path, appRootfs(app));
  if (step === undefined) throw new Stage0Error('bad-tree', `the pod is not whole: ${app} has no root`);
  return step;
}

function upperOf(step: MountStep): string {
  return step.kind === 'overlay' ? step.upper : step.source;
}
