import { MUTABLE_ANNOTATION } from '../abi/stage1.ts';
import { type ExposedPort, type Isolator, parseAnnotations } from '../appc/index.ts';
import { isolated } from './isolator-request.ts';
import type { Marks } from './marks.ts';
import { type PodRequest, podManifest } from './pod-request.ts';

/** A pod without apps, for those that come later. */
export interface SandboxRequest {
  readonly marks?: Marks;
  /** Of its machine, which has its size before there is an app. */
  readonly memory?: string;
  readonly cpu?: string;
  readonly ports?: readonly ExposedPort[];
  /** Of the pod as a whole. */
  readonly isolators?: readonly Isolator[];
}

/** Throws Stage0Error `bad-request`. */
export function sandboxPod(request: SandboxRequest): PodRequest {
  const manifest = podManifest([], request.marks, request.ports);
  return {
    kind: 'manifest',
    manifest: {
      ...manifest,
      annotations: [...manifest.annotations, ...MUTABLE],
      isolators: [...isolated([], request), ...(request.isolators ?? [])],
    },
  };
}

const MUTABLE = parseAnnotations([{ name: MUTABLE_ANNOTATION, value: 'true' }]);
