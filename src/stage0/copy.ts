import { resolve } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { appRootfs } from '../abi/pod-directory.ts';
import { fromGuest, fromOperator } from '../image/index.ts';
import { isSystemError } from '../os/syscall.ts';
import { type PodReference, podsDirectory } from '../pod/directory.ts';
import { lookUpPod } from '../pod/listing.ts';
import { currentState, observe } from '../pod/observation.ts';
import { readPod } from '../pod/record.ts';
import type { State } from '../pod/state.ts';
import { chooseApp } from './app-choice.ts';
import { readyChanges } from './changes.ts';
import {
  guestCopier,
  type Sender,
  sourceCopier,
  startSender,
  startTaker,
  type Taker,
  targetCopier,
} from './copy-party.ts';
import { Stage0Error } from './errors.ts';
import { appOfExited, holdExited } from './exited-pod.ts';
import type { Host } from './host.ts';

/** A UUID or the beginning of one, and a path in the root of one of its apps. */
export interface PodFiles {
  readonly uuid: string;
  readonly path: string;
}

export interface CopyOptions {
  /** Undefined: the pod has only one. */
  readonly app: string | undefined;
  /** Of files that come to this host: whether they keep their owners, or are the caller's. */
  readonly keepOwners: boolean;
  readonly signal: AbortSignal;
  /** Is told what is not copied. */
  readonly leftOut: (line: string) => void;
}

/**
 * Copies files of an app to a path of this host, or as a tar to a stream. Of a pod that has exited they are read from its directory,
 * and it is held meanwhile. Throws Stage0Error `bad-request`, `not-running`, `bad-tree`, TarError.
 */
export async function copyOut(
  host: Host,
  from: PodFiles,
  to: string | Writable,
  options: CopyOptions,
): Promise<void> {
  const found = lookUpPod(podsDirectory(host.dataDirectory), from.uuid);
  const source = { path: podPathOf(from), name: nameOf(from.path) };
  if (currentState(found) === 'running') {
    const copier = guestCopier(found, appOfRunning(found, options.app), { direction: 'out', ...source });
    await deliver(await startSender(copier, options.signal), source.name, to, options);
    return;
  }
  using pod = await holdExited(found, (state) => noFiles(found, state));
  using files = observe(pod.reference);
  const app = appOfExited('cp', files, options.app);
  await readyChanges(host, pod, app, options.leftOut, options.signal);
  const target = appRootfs(app);
  const copier = sourceCopier(pod.path, { kind: 'app', target }, source);
  await deliver(await startSender(copier, options.signal), source.name, to, options);
}

/**
 * Copies a file or directory of this host, or what a stream has a tar of, into a running app. Throws Stage0Error `bad-request`,
 * `not-running`, `bad-tree`, TarError.
 */
export async function copyIn(
  host: Host,
  from: string | Readable,
  to: PodFiles,
  options: CopyOptions,
): Promise<void> {
  const { signal } = options;
  const found = lookUpPod(podsDirectory(host.dataDirectory), to.uuid);
  const app = appOfRunning(found, options.app);
  const path = podPathOf(to);
  const taker = (name: string | null) =>
    startTaker(guestCopier(found, app, { direction: 'in', path, name }), signal);
  if (typeof from !== 'string') {
    const taking = await taker(null);
    try {
      await settle({ flow: pipeline(fromOperator(from), taking.stdin), taking }, options);
    } finally {
      // Whatever is still to come from there: it would be waited for.
      from.destroy();
    }
    return;
  }
  const source = { path: hostPathOf(from), name: nameOf(from) };
  const sending = await startSender(sourceCopier('/', { kind: 'host', directory: '/' }, source), signal);
  const taking = await taker(source.name);
  await settle({ sending, flow: pipeline(sending.stdout, taking.stdin), taking }, options);
}

async function deliver(
  sending: Sender,
  name: string,
  to: string | Writable,
  options: CopyOptions,
): Promise<void> {
  if (typeof to !== 'string') {
    await settle({ sending, flow: pipeline(sending.stdout, to, { end: false }) }, options);
    return;
  }
  const caller = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
  const owner = options.keepOwners ? undefined : caller;
  const tar = fromGuest(sending.stdout, { owner, leftOut: options.leftOut });
  const taking = await startTaker(targetCopier(hostPathOf(to), name), options.signal);
  await settle({ sending, flow: pipeline(tar, taking.stdin), taking }, options);
}

interface Copying {
  readonly sending?: Sender;
  readonly flow: Promise<void>;
  readonly taking?: Taker;
}

/** Waits for all of them. Of those who fail one has failed first, and the others for want of it. */
async function settle({ sending, flow, taking }: Copying, { signal, leftOut }: CopyOptions): Promise<void> {
  const flowed = flow.then(
    () => undefined,
    (error: unknown) => error,
  );
  // Who has nothing to write notices nobody's end: a caller may be slow, or a guest.
  const broken = await (taking === undefined ? flowed : Promise.race([flowed, failureOf(taking)]));
  if (broken !== undefined) sending?.stdout.destroy();
  const [sent, taken] = await Promise.all([sending?.outcome, taking?.outcome]);
  signal.throwIfAborted();
  for (const line of [...(sent?.notes ?? []), ...(taken?.notes ?? [])]) leftOut(line);
  if (sent?.problem !== undefined) throw new Stage0Error('bad-tree', sent.problem);
  if (broken !== undefined && !isConsequence(broken)) throw broken;
  if (taken?.problem !== undefined) throw new Stage0Error('bad-tree', taken.problem);
  if (broken !== undefined || sent?.failed === true || taken?.failed === true) throw new CutShort();
}

/** Settles when that one fails, and only then. */
function failureOf({ outcome }: Taker): Promise<Error> {
  return new Promise((resolve) => {
    outcome.then(({ failed }) => {
      if (failed) resolve(new CutShort());
    });
  });
}

class CutShort extends Stage0Error {
  constructor() {
    super('bad-tree', 'the copy was cut short');
  }
}

/** A pipe breaks when whoever reads it has ended. */
function isConsequence(error: unknown): boolean {
  return (
    error instanceof CutShort || isSystemError(error, 'EPIPE', 'ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE')
  );
}

/** Throws Stage0Error `not-running`, `bad-request`. */
function appOfRunning(found: PodReference, wanted: string | undefined): string {
  const record = readPod(found);
  const pod = `pod ${JSON.stringify(found.uuid)}`;
  if (record?.state !== 'running') throw new Stage0Error('not-running', `${pod} isn't currently running`);
  if (!record.isReady) throw new Stage0Error('not-running', `${pod} is still starting`);
  return chooseApp(
    'cp',
    record.apps.map(({ name }) => name),
    wanted,
  );
}

function noFiles({ uuid }: PodReference, state: State): Stage0Error {
  return new Stage0Error(
    'not-running',
    `pod ${JSON.stringify(uuid)} has no files to copy: its state is ${state}`,
  );
}

/** From the app's root on, whatever it begins with. */
function podPathOf({ path }: PodFiles): string {
  if (path === '') throw new Stage0Error('bad-request', 'no path in the pod is given');
  return path.startsWith('/') ? path : `/${path}`;
}

/** Absolute; a slash or a dot at its end says something. */
function hostPathOf(path: string): string {
  if (path === '') throw new Stage0Error('bad-request', 'no path is given');
  const end = /\/\.?$/.exec(path)?.[0] ?? '';
  return `${resolve(path)}${end}`;
}

/** What a copy of it is called; empty for a path that has no name of its own: all that is in it is copied. */
function nameOf(path: string): string {
  const last = path.replace(/\/+$/, '').split('/').at(-1) ?? '';
  return ['.', '..'].includes(last) ? '' : last;
}
