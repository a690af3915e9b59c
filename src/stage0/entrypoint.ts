import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseMountPlan } from '../abi/mount-plan.ts';
import { POD } from '../abi/pod-directory.ts';
import { type Entrypoint, entrypointAnnotation } from '../abi/stage1.ts';
import { type Annotation, annotationValue, readImageManifest } from '../appc/index.ts';
import { isSystemError } from '../os/syscall.ts';
import { parsedOnce } from '../pod/parsed-once.ts';

/**
 * The program that a pod's stage1 has for a verb, from the manifest that the pod keeps of it. Undefined when the pod never ran,
 * or its stage1 has none, or is in neither store nor pod any more.
 */
export function findEntrypoint(pod: string, entrypoint: Entrypoint): string | undefined {
  const path = annotationValue(stage1Annotations(pod), entrypointAnnotation(entrypoint));
  if (path === undefined) return undefined;
  return [...stage1Layers(pod), join(pod, POD.stage1Rootfs)]
    .map((root) => join(root, path))
    .find((program) => existsSync(program));
}

const annotationsOf = parsedOnce((manifest) => readImageManifest(manifest).annotations);

/** Of the manifest that the pod keeps of its stage1; none where it never ran. */
export function stage1Annotations(pod: string): readonly Annotation[] {
  const manifest = textIfPresent(join(pod, POD.stage1Manifest));
  // A pod that ran has one; after a power cut it may be empty.
  return manifest?.trim() ? annotationsOf(manifest) : [];
}

/** The layers that the stage1's root is an overlay of, the topmost first: its image may have been removed, they are kept for the pod. */
function stage1Layers(pod: string): string[] {
  const text = textIfPresent(join(pod, POD.mountPlan));
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
