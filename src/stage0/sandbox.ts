import { MUTABLE_ANNOTATION } from '../abi/stage1.ts';
import { type ExposedPort, parseAnnotations } from '../appc/index.ts';
import { limited } from './app-request.ts';
import type { Marks } from './marks.ts';
import { type PodRequest, podManifest } from './pod-request.ts';

/** A pod without apps, for those that come later. */
export interface SandboxRequest {
  readonly marks?: Marks;
  /** Of its machine, which has its size before there is an app. */
  readonly memory?: string;
  readonly cpu?: string;
  readonly ports?: readonly ExposedPort[];
}

/** Throws Stage0Error `bad-request`. */
export function sandboxPod(request: SandboxRequest): PodRequest {
  const manifest = podManifest([], request.marks, request.ports);
  return {
    kind: 'manifest',
    manifest: {
      ...manifest,
      annotations: [...manifest.annotations, ...MUTABLE],
      isolators: limited([], request),
    },
  };
}

const MUTABLE = parseAnnotations([{ name: MUTABLE_ANNOTATION, value: 'true' }]);
