import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type PodUUID, podUUID } from '../appc/uuid.ts';
import { isSystemError } from '../os/syscall.ts';
import { type PodReference, podPath } from './directory.ts';
import { PodError } from './errors.ts';
import { isHolder, isPodName, type PodName, readName } from './name.ts';
import { PHASES, type Phase } from './state.ts';

/** What users are shown: an embryo has no name yet for anybody but its maker. */
const VISIBLE = PHASES.filter((phase) => phase !== 'embryo');

/**
 * The pods of some phases. Phases are read in the order of a life, so that a pod that moves meanwhile is
 * found later, and counted once, where it was seen last.
 */
export function listPods(pods: string, phases: readonly Phase[] = VISIBLE): PodReference[] {
  const found = new Map<PodUUID, PodReference>();
  for (const phase of phases) {
    for (const uuid of readPhase(join(pods, phase))) found.set(uuid, { pods, uuid, phase });
  }
  return [...found.values()];
}

function readPhase(path: string): PodUUID[] {
  try {
    return readdirSync(path).filter(podUUID.is);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return []; // no pod was ever made here
    throw error;
  }
}

/** Where a pod is now, if it still is. */
export function findPod(pods: string, uuid: PodUUID): PodReference | undefined {
  return PHASES.map((phase) => ({ pods, uuid, phase })).findLast(
    (reference) => lstatSync(podPath(reference), { throwIfNoEntry: false }) !== undefined,
  );
}

/** The one pod of that name, or whose UUID starts so. Throws PodError `no-match`, `ambiguous`. */
export function lookUpPod(pods: string, text: string): PodReference {
  const wanted = text.trim();
  if (wanted === '') throw new PodError('no-match', 'UUID cannot be empty');
  const matches = isPodName(wanted) ? [findNamed(pods, wanted) ?? []].flat() : startingWith(pods, wanted);
  const [match, ...others] = matches;
  if (match === undefined) throw new PodError('no-match', `no matches found for ${JSON.stringify(text)}`);
  if (others.length > 0) throw new PodError('ambiguous', `ambiguous uuid, ${matches.length} matches`);
  return match;
}

function startingWith(pods: string, prefix: string): PodReference[] {
  const start = prefix.toLowerCase();
  return listPods(pods).filter(({ uuid }) => uuid.startsWith(start));
}

/** The pod that holds a name. */
export function findNamed(pods: string, name: PodName): PodReference | undefined {
  for (const found of listPods(pods)) {
    const pod = whereItIs(found);
    if (readName(pod) === name && isHolder(pod)) return pod;
  }
  return undefined;
}

/** A pod may have moved since its phase was read: its files are not to be missed. */
function whereItIs(found: PodReference): PodReference {
  return lstatSync(podPath(found), { throwIfNoEntry: false }) === undefined
    ? (findPod(found.pods, found.uuid) ?? found)
    : found;
}
