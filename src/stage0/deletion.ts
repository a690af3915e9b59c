import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { POD } from '../abi/pod-directory.ts';
import { entrypointAnnotation, formatGcArguments } from '../abi/stage1.ts';
import { annotationValue, parseImageID, readImageManifest } from '../appc/index.ts';
import { isSystemError } from '../os/syscall.ts';
import type { Pod } from '../pod/pod.ts';
import { removePod } from '../pod/removal.ts';
import { openStore, type Store } from '../store/index.ts';
import { Stage0Error } from './errors.ts';
import type { Host } from './host.ts';

/** A stage1 that hangs must not keep the collector: it has network plugins to run, no more. */
const GC_TIMEOUT_MILLISECONDS = 120_000;

/**
 * Removes a pod that is ours and in a garbage phase: first what its stage1 made outside of the pod's directory, by
 * the stage1's own `gc`, then the directory. Whatever fails, the pod stays and can be removed again.
 */
export async function deletePod(host: Host, pod: Pod): Promise<void> {
  await runStage1Gc(host, pod);
  removePod(pod);
}

async function runStage1Gc(host: Host, pod: Pod): Promise<void> {
  const entrypoint = gcEntrypoint(openStore(host.dataDirectory), pod);
  if (entrypoint === undefined) return;
  const args = formatGcArguments({ uuid: pod.uuid, debug: host.debug, localConfig: host.localConfig });
  const { run } = await import('../os/run.ts');
  const { failed, all, shortMessage } = await run(entrypoint, args, {
    cwd: pod.path,
    all: true,
    reject: false,
    stdin: 'ignore',
    timeout: GC_TIMEOUT_MILLISECONDS,
  });
  if (failed)
    throw new Stage0Error('bad-stage1', `gc of the pod's stage1 failed: ${all?.trim() || shortMessage}`);
}

/** Undefined when the pod never ran, or its stage1 has none, or is in neither store nor pod any more. */
function gcEntrypoint(store: Store, pod: Pod): string | undefined {
  const manifest = textIfPresent(join(pod.path, POD.stage1Manifest));
  const id = textIfPresent(join(pod.path, POD.stage1Image));
  // A pod that ran has both; after a power cut they may be empty.
  if (!manifest?.trim() || !id?.trim()) return undefined;
  const path = annotationValue(readImageManifest(manifest).annotations, entrypointAnnotation('gc'));
  if (path === undefined) return undefined;
  const layers = store.get(parseImageID(id.trim()))?.layers ?? [];
  const roots = layers.filter((layer) => store.hasLayer(layer)).map((layer) => store.layerPath(layer));
  return [...roots.toReversed(), join(pod.path, POD.stage1Rootfs)]
    .map((root) => join(root, path))
    .find((program) => existsSync(program));
}

function textIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
}
