import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseRegistration } from '../abi/metadata.ts';
import { POD } from '../abi/pod-directory.ts';
import type { PodManifest } from '../appc/index.ts';
import { Stage0Error } from './errors.ts';
import type { PodPlace } from './metadata-registration.ts';

// Most pods are not registered: what talks to the metadata service is loaded for those that are.

/** By what the metadata service knows a pod; undefined where it does not. */
export function tokenOf({ path }: Pick<PodPlace, 'path'>): string | undefined {
  const file = join(path, POD.metadata);
  return existsSync(file) ? parseRegistration(readFileSync(file, 'utf8')).token : undefined;
}

/** Has the metadata service forget a pod that is, or may be, registered. */
export async function takeBack(pod: PodPlace): Promise<void> {
  if (!existsSync(join(pod.path, POD.metadata))) return;
  await (await import('./metadata-registration.ts')).unregisterPod(pod);
}

/** Tells it of the apps that a pod is about to have. Throws Stage0Error `no-metadata-service`. */
export async function tellAddition(pod: PodPlace, manifest: PodManifest): Promise<void> {
  const token = tokenOf(pod);
  if (token === undefined) return;
  await (await import('./metadata-registration.ts')).putPod(pod, token, manifest);
}

/** The same of a pod that has lost some: that goes on without it. */
export async function tellRemoval(pod: PodPlace, manifest: PodManifest): Promise<void> {
  try {
    await tellAddition(pod, manifest);
  } catch (error) {
    if (!(error instanceof Stage0Error)) throw error;
  }
}
