import { resolve } from 'node:path';
import { emptyVolume, namedVolume, POD } from '../abi/pod-directory.ts';
import { type PodVolume, parseVolumePlan, type VolumePlan } from '../abi/volume-plan.ts';
import { withoutUndefined } from '../appc/json-value.ts';
import type { Observation } from './observation.ts';

/** A volume as one app has it. */
export interface AppMount {
  /** What the volume is called by the pod, or by the app that has it for itself. */
  readonly volume: string;
  readonly target: string;
  /** Where on the host its files are: what was given for it, or a directory of the pod's, or of rkt's; absent where it is none, in memory or on a disk. */
  readonly source?: string;
  readonly readOnly: boolean;
}

/** Undefined where the pod has no volumes. Throws AbiError. */
export function readVolumePlan(pod: Observation): VolumePlan | undefined {
  const text = pod.text(POD.volumes);
  return text === undefined ? undefined : parseVolumePlan(JSON.parse(text));
}

/** Undefined where the app has none. `pod` is the pod's directory. */
export function mountsOf(
  app: string,
  { volumes, mounts }: VolumePlan,
  pod: string,
): readonly AppMount[] | undefined {
  const own = mounts.filter((mount) => mount.app === app);
  if (own.length === 0) return undefined;
  return own.map(({ volume: key, target, readOnly }) => {
    const volume = volumes.find((volume) => volume.key === key);
    return withoutUndefined({
      // The key of one that an app has for itself is APP.NAME, and names have no dot.
      volume: key.slice(key.indexOf('.') + 1),
      target,
      source: sourceOf(volume, pod),
      readOnly: readOnly || volume?.readOnly === true,
    });
  });
}

function sourceOf(volume: PodVolume | undefined, pod: string): string | undefined {
  switch (volume?.kind) {
    case 'host':
    case 'block':
      return volume.source;
    case 'named':
      return resolve(pod, namedVolume(volume.volume));
    case 'empty':
      return resolve(pod, emptyVolume(volume.key));
    case undefined:
    case 'tmpfs':
    case 'limited':
    case 'secret':
      return undefined;
    default:
      return volume satisfies never;
  }
}
