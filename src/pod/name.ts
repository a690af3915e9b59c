import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { POD } from '../abi/pod-directory.ts';
import { replaceFile } from '../os/durable.ts';
import { tryShared } from '../os/lock.ts';
import { isSystemError } from '../os/syscall.ts';
import { type PodReference, podPath } from './directory.ts';
import { PodError } from './errors.ts';
import { type Phase, type State, stateOf } from './state.ts';

/** What users call a pod beside its UUID. It is in the pod's own directory, so that it goes with the pod. */
export type PodName = string & { readonly podName: true };

/** As long as a label of a host name: it is the pod's. */
const LONGEST = 63;

/** A name is never the beginning of a UUID: so neither can ever hide the other. */
export function isPodName(text: string): text is PodName {
  return text.length <= LONGEST && /^[a-z0-9]+(-[a-z0-9]+)*$/.test(text) && !/^[0-9a-f-]*$/.test(text);
}

/** Throws PodError `bad-name`. */
export function parsePodName(text: string): PodName {
  if (isPodName(text)) return text;
  const reason = /^[0-9a-f-]+$/.test(text)
    ? 'could be the beginning of a UUID'
    : `is no name of a pod: at most ${LONGEST} lower case letters and digits, joined by single hyphens`;
  throw new PodError('bad-name', `${JSON.stringify(text)} ${reason}`);
}

/** For the caller who knows that no other pod has it (`findNamed`, under the lock of names), in a pod that is his. */
export function writeName(pod: PodReference, name: PodName): void {
  replaceFile(join(podPath(pod), POD.name), `${name}\n`);
}

/** The name that a file's text gives, if it is one. */
export function nameIn(text: string | undefined): PodName | undefined {
  const name = text?.trimEnd() ?? '';
  return isPodName(name) ? name : undefined;
}

/** The name of the pod that is there; undefined when it has none, and when there is no pod. */
export function readName(pod: PodReference): PodName | undefined {
  try {
    return nameIn(readFileSync(join(podPath(pod), POD.name), 'utf8'));
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Whether a pod in this state keeps its name from others: one that never came to be, and never will, does not. */
export function holdsName(state: State): boolean {
  return !['embryo', 'aborted prepare', 'garbage', 'deleting'].includes(state);
}

/** As `holdsName`, of a pod as it was found. Only in one phase does it take the lock to tell. */
export function isHolder(pod: PodReference): boolean {
  return holdsName(stateOf(pod.phase, isLockedPhase(pod.phase) && isLocked(pod)));
}

function isLockedPhase(phase: Phase): boolean {
  return holdsName(stateOf(phase, true)) && !holdsName(stateOf(phase, false));
}

function isLocked(pod: PodReference): boolean {
  try {
    using probe = tryShared(podPath(pod));
    return probe === undefined;
  } catch (error) {
    // Prepared in this moment, by whom it was locked: or gone, which is found out soon enough.
    if (isSystemError(error, 'ENOENT')) return true;
    throw error;
  }
}
