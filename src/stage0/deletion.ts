import { RECORDS_ANNOTATION } from '../abi/outside-records.ts';
import { formatGcArguments, STAGE1_INTERFACE_VERSION } from '../abi/stage1.ts';
import { interfaceVersion, knownGcArguments } from '../abi/stage1-versions.ts';
import { annotationValue } from '../appc/index.ts';
import { isSomethingLeft } from '../pod/outside.ts';
import type { Pod } from '../pod/pod.ts';
import { removeUnsynced, syncRemovals } from '../pod/removal.ts';
import { findEntrypoint, stage1Annotations } from './entrypoint.ts';
import type { Host } from './host.ts';
import { takeBack } from './registration.ts';
import { callStage1 } from './stage1-call.ts';

/** A stage1 that hangs must not keep the collector: it has network plugins to run, no more. */
const GC_TIMEOUT_MILLISECONDS = 120_000;

/**
 * Removes a pod that is ours and in a garbage phase: of one that ran, first what its stage1 made outside of the pod's directory,
 * by the stage1's own `gc`, then the directory. Whatever fails, the pod stays and can be removed again.
 */
export async function deletePod(host: Host, pod: Pod): Promise<void> {
  await deleteUnsynced(host, pod);
  syncRemovals(pod.pods, pod.phase);
}

/** As `deletePod`, for who deletes many and calls `syncRemovals` in the end. */
export async function deleteUnsynced(host: Host, pod: Pod): Promise<void> {
  // Only pods that never ran come to `garbage`, as in rkt.
  if (pod.phase === 'exited-garbage') await runStage1Gc(host, pod);
  await takeBack(pod);
  removeUnsynced(pod);
}

/** What a pod that has run and ended left outside of its directory goes; the pod stays, and is ours. Throws Stage0Error `bad-stage1`. */
export async function runStage1Gc(host: Host, pod: Pod): Promise<void> {
  const annotations = stage1Annotations(pod.path);
  if (annotationValue(annotations, RECORDS_ANNOTATION) === 'true' && !isSomethingLeft(pod.path)) return;
  const entrypoint = findEntrypoint(pod.path, 'gc');
  if (entrypoint === undefined) return;
  const all = formatGcArguments({ uuid: pod.uuid, debug: host.debug, localConfig: host.localConfig });
  const version = interfaceVersion(annotations) ?? STAGE1_INTERFACE_VERSION;
  const args = knownGcArguments(all, version);
  await callStage1(pod.path, { name: 'gc', path: entrypoint, args, timeout: GC_TIMEOUT_MILLISECONDS });
}
