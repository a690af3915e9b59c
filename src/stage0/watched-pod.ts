import { type FSWatcher, watch } from 'node:fs';
import { dirname, join } from 'node:path';
import { POD } from '../abi/pod-directory.ts';
import type { PodUUID } from '../appc/index.ts';
import { isSystemError } from '../os/syscall.ts';
import { type PodReference, podPath } from '../pod/directory.ts';
import { ExitCodeFile } from '../pod/exit-code.ts';
import { findPod } from '../pod/listing.ts';
import { observe } from '../pod/observation.ts';
import { type PodRecord, readPod } from '../pod/record.ts';
import type { Phase } from '../pod/state.ts';
import type { Sight } from './pod-event.ts';

/** Where the files of a running pod are that tell of it. */
const TOLD_IN: readonly string[] = ['.', dirname(POD.supervisorStatus), POD.status, POD.appState];

/** One pod under watch: what was last seen of it, and what is held so that nothing of its end is missed. */
export class WatchedPod implements Disposable {
  readonly passed = new Set<Phase>();
  sight: Sight | undefined;
  readonly #exit = new ExitCodeFile();
  readonly #watchers = new Map<string, FSWatcher>();

  constructor(
    readonly pods: string,
    readonly uuid: PodUUID,
    readonly changed: () => void,
  ) {}

  get exitCode(): number | undefined {
    return this.#exit.read();
  }

  /** Whether the kernel tells of what the pod's supervisor writes; where it does not, somebody has to look. */
  get isWatched(): boolean {
    return this.#watchers.has('.') && this.#watchers.has(dirname(POD.supervisorStatus));
  }

  /** Undefined when it is gone, or not there for anybody yet. Throws AppcError when its manifest is not one. */
  look(): Sight | undefined {
    const found = findPod(this.pods, this.uuid);
    // An embryo is not to be touched: who makes it could not lock it while we ask for its state.
    if (found === undefined || found.phase === 'embryo') return undefined;
    this.#hold(found);
    const record = readPod(found);
    if (record === undefined) return undefined;
    this.passed.add(found.phase);
    const whole = remembering(record, this.sight?.record);
    return { record: whole, exitCode: this.exitCode, passed: new Set(this.passed) };
  }

  isThere(): boolean {
    return findPod(this.pods, this.uuid) !== undefined;
  }

  #hold(found: PodReference): void {
    using pod = observe(found);
    if (pod !== undefined) this.#exit.hold(pod);
    if (found.phase !== 'run') return;
    for (const directory of TOLD_IN) if (!this.#watchers.has(directory)) this.#watch(found, directory);
  }

  #watch(found: PodReference, directory: string): void {
    const watcher = tryWatch(join(podPath(found), directory), this.changed);
    if (watcher !== undefined) this.#watchers.set(directory, watcher);
  }

  [Symbol.dispose](): void {
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#exit[Symbol.dispose]();
  }
}

/** While a pod is being removed its files go one after the other: what it was is not forgotten with them. */
function remembering(record: PodRecord, before: PodRecord | undefined): PodRecord {
  if (before === undefined) return record;
  const { podName = record.podName, userLabels = record.userLabels } = before;
  return {
    ...record,
    ...(podName === undefined ? {} : { podName }),
    ...(userLabels === undefined ? {} : { userLabels }),
    apps: record.apps.length === 0 ? before.apps : record.apps,
  };
}

/** Undefined where there is nothing to watch, or the kernel has no watch left for us. */
export function tryWatch(path: string, changed: (name: string | null) => void): FSWatcher | undefined {
  try {
    const watcher = watch(path, { persistent: false }, (_, name) => changed(name));
    watcher.on('error', () => watcher.close());
    return watcher;
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'ENOSPC', 'EMFILE', 'ENFILE')) return undefined;
    throw error;
  }
}
