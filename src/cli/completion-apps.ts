import type { PodRecord } from '../stage0/list.ts';
import type { Candidate } from './completion-candidate.ts';

/** The apps of the pod that an operand names, by a UUID, its beginning or a name, or `POD:PATH`; of all pods where none is there yet. */
export function appCandidates(pods: readonly PodRecord[], operands: readonly string[]): readonly Candidate[] {
  const wanted = operands.map((operand) => operand.replace(/:.*/s, '').toLowerCase());
  const meant = pods.filter(
    ({ uuid, podName }) =>
      wanted.length === 0 ||
      wanted.some((word) => word !== '' && (podName === word || uuid.startsWith(word))),
  );
  const found = new Map<string, Candidate>();
  for (const { apps } of meant)
    for (const { name, state } of apps)
      found.set(name, { word: name, about: found.has(name) ? 'app' : `${state} app` });
  return [...found.values()];
}
