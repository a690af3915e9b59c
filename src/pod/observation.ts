import { closeSync, constants, openSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { type Lock, tryShared } from '../os/lock.ts';
import { isSystemError } from '../os/syscall.ts';
import { type PodReference, podPath } from './directory.ts';
import { PodError } from './errors.ts';
import { findPod } from './listing.ts';
import { PHASES, type Phase, type State, stateOf } from './state.ts';

/** More than any file of a pod that a command reads whole. */
const FILE_MAX = 64 * 1024 * 1024;
/** Most of a pod's files are not there for most pods, and Node takes longer for an error than for all else of the call. */
const NOT_THERE_IS_NO_ERROR = { throwIfNoEntry: false } as const;

/** A pod that is looked at, by its directory's fd: it stays the same pod while it moves and while it is removed. */
export class Observation implements Disposable {
  readonly #fd: number;

  constructor(
    readonly reference: PodReference,
    fd: number,
  ) {
    this.#fd = fd;
  }

  /** The text of a file of the pod, or undefined. */
  text(name: string): string | undefined {
    return this.#ifPresent(() => {
      const path = this.#path(name);
      const status = statSync(path, NOT_THERE_IS_NO_ERROR);
      if (status === undefined) return undefined;
      if (status.size > FILE_MAX) throw new PodError('bad-file', `${name} is larger than ${FILE_MAX} bytes`);
      return readFileSync(path, 'utf8');
    });
  }

  /** The names in a directory of the pod; none where there is no such directory. */
  names(name: string): string[] {
    return this.#ifPresent(() => readdirSync(this.#path(name))) ?? [];
  }

  /** Opens a file of the pod to be read, or undefined. The fd is the caller's. */
  open(name: string): number | undefined {
    return this.#ifPresent(() => openSync(this.#path(name), constants.O_RDONLY | constants.O_NOFOLLOW));
  }

  link(name: string): string | undefined {
    return this.#ifPresent(() => readlinkSync(this.#path(name)));
  }

  /** Nanoseconds since 1970, or undefined where there is no such file. */
  modified(name: string): bigint | undefined {
    const options = { bigint: true, ...NOT_THERE_IS_NO_ERROR } as const;
    return this.#ifPresent(() => statSync(this.#path(name), options)?.mtimeNs);
  }

  /** When the directory was last renamed or changed: in a garbage phase, when it was marked. */
  marked(): bigint {
    return statSync(`/proc/self/fd/${this.#fd}`, { bigint: true }).ctimeNs;
  }

  #path(name: string): string {
    return `/proc/self/fd/${this.#fd}/${name}`;
  }

  #ifPresent<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'EINVAL')) return undefined;
      throw error;
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}

/** Undefined when the pod is gone. */
export function observe(reference: PodReference): Observation | undefined {
  const here = (at: PodReference) => {
    const fd = openIfPresent(podPath(at));
    return fd === undefined ? undefined : new Observation(at, fd);
  };
  const moved = () => findPod(reference.pods, reference.uuid);
  return here(reference) ?? here(moved() ?? reference);
}

/** The state of a pod now, or undefined when it is gone. */
export function currentState(reference: PodReference): State | undefined {
  const unmoved = stateIn(reference.phase, podPath(reference));
  if (unmoved !== undefined) return unmoved;
  // It may move between finding and probing it, at most once for each phase.
  for (let attempt = 0; attempt < PHASES.length; attempt++) {
    const now = findPod(reference.pods, reference.uuid);
    if (now === undefined) return undefined;
    const state = stateIn(now.phase, podPath(now));
    if (state !== undefined) return state;
  }
  return undefined;
}

function stateIn(phase: Phase, path: string): State | undefined {
  try {
    using probe: Lock | undefined = tryShared(path);
    return stateOf(phase, probe === undefined);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function openIfPresent(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
}
