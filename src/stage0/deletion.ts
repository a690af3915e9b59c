import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseMountPlan } from '../abi/mount-plan.ts';
import { POD } from '../abi/pod-directory.ts';
import { entrypointAnnotation, formatGcArguments } from '../abi/stage1.ts';
import { annotationValue, readImageManifest } from '../appc/index.ts';
import { isSystemError } from '../os/syscall.ts';
import type { Pod } from '../pod/pod.ts';
import { removePod } from '../pod/removal.ts';
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
  const entrypoint = gcEntrypoint(pod);
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
function gcEntrypoint(pod: Pod): string | undefined {
  const manifest = textIfPresent(join(pod.path, POD.stage1Manifest));
  // A pod that ran has both; after a power cut they may be empty.
  if (!manifest?.trim()) return undefined;
  const path = annotationValue(readImageManifest(manifest).annotations, entrypointAnnotation('gc'));
  if (path === undefined) return undefined;
  return [...stage1Layers(pod), join(pod.path, POD.stage1Rootfs)]
    .map((root) => join(root, path))
    .find((program) => existsSync(program));
}

/** The layers that the stage1's root is an overlay of, the topmost first: its image may have been removed, they are kept for the pod. */
function stage1Layers(pod: Pod): string[] {
  const text = textIfPresent(join(pod.path, POD.mountPlan));
  if (!text?.trim()) return [];
  return parseMountPlan(JSON.parse(text)).mounts.flatMap((step) =>
    step.kind === 'overlay' && step.target === POD.stage1Rootfs
      ? step.lower.map((name) => join(step.lowerBase, name))
      : [],
  );
}

function textIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
}
