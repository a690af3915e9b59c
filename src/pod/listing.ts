import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type PodUUID, podUUID } from '../appc/uuid.ts';
import { isSystemError } from '../os/syscall.ts';
import { type PodReference, podPath } from './directory.ts';
import { PodError } from './errors.ts';
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

/** The one pod whose UUID starts so. Throws PodError `no-match`, `ambiguous`. */
export function lookUpPod(pods: string, prefix: string): PodReference {
  const start = prefix.trim().toLowerCase();
  if (start === '') throw new PodError('no-match', 'UUID cannot be empty');
  const matches = listPods(pods).filter(({ uuid }) => uuid.startsWith(start));
  const [match, ...others] = matches;
  if (match === undefined) throw new PodError('no-match', `no matches found for ${JSON.stringify(prefix)}`);
  if (others.length > 0) throw new PodError('ambiguous', `ambiguous uuid, ${matches.length} matches`);
  return match;
}
