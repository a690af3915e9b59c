import { parseMountPlan } from '../abi/mount-plan.ts';
import { appImageId, POD } from '../abi/pod-directory.ts';
import { type PodReference, podsDirectory } from '../pod/directory.ts';
import { listPods } from '../pod/listing.ts';
import { type Observation, observe } from '../pod/observation.ts';
import { PHASES } from '../pod/state.ts';
import { Stage0Error } from './errors.ts';
import type { Host } from './host.ts';

/** Names of the layers that the pods of a host are made of, whatever has become of their images. */
export function layersOfPods(host: Host): ReadonlySet<string> {
  return new Set(everyPod(host, layersOf));
}

/** The ids of the images that pods were made from. */
export function imagesOfPods(host: Host): ReadonlySet<string> {
  return new Set(everyPod(host, imagesOf));
}

function everyPod(host: Host, read: (pod: Observation) => readonly string[]): string[] {
  return listPods(podsDirectory(host.dataDirectory), PHASES).flatMap((reference) => {
    using pod = observe(reference);
    return pod === undefined ? [] : reading(reference, () => read(pod));
  });
}

// Of a pod that cannot be read nobody knows what it uses: then nothing is to be removed.
function reading(reference: PodReference, read: () => readonly string[]): readonly string[] {
  try {
    return read();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Stage0Error('busy', `nobody knows which images pod "${reference.uuid}" uses: ${reason}`, {
      cause,
    });
  }
}

function layersOf(pod: Observation): string[] {
  const text = pod.text(POD.mountPlan);
  if (!text?.trim()) return [];
  return parseMountPlan(JSON.parse(text)).mounts.flatMap((step) =>
    step.kind === 'overlay' ? step.lower.map((name) => name.split('/')[0] ?? name) : [],
  );
}

function imagesOf(pod: Observation): string[] {
  const apps = pod.names(POD.appsinfo);
  return [POD.stage1Image, ...apps.map(appImageId)].flatMap((path) => pod.text(path)?.trim() ?? []);
}
