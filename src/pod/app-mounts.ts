import { POD } from '../abi/pod-directory.ts';
import { type PodVolume, parseVolumePlan, type VolumePlan } from '../abi/volume-plan.ts';
import { withoutUndefined } from '../appc/json-value.ts';
import type { Observation } from './observation.ts';

/** A volume as one app has it. */
export interface AppMount {
  /** What the volume is called by the pod, or by the app that has it for itself. */
  readonly volume: string;
  readonly target: string;
  /** The path of the host that was given for it; absent where none was. */
  readonly source?: string;
  readonly readOnly: boolean;
}

/** Undefined where the pod has no volumes. Throws AbiError. */
export function readVolumePlan(pod: Observation): VolumePlan | undefined {
  const text = pod.text(POD.volumes);
  return text === undefined ? undefined : parseVolumePlan(JSON.parse(text));
}

/** Undefined where the app has none. */
export function mountsOf(app: string, { volumes, mounts }: VolumePlan): readonly AppMount[] | undefined {
  const own = mounts.filter((mount) => mount.app === app);
  if (own.length === 0) return undefined;
  return own.map(({ volume: key, target, readOnly }) => {
    const volume = volumes.find((volume) => volume.key === key);
    return withoutUndefined({
      // The key of one that an app has for itself is APP.NAME, and names have no dot.
      volume: key.slice(key.indexOf('.') + 1),
      target,
      source: sourceOf(volume),
      readOnly: readOnly || volume?.readOnly === true,
    });
  });
}

function sourceOf(volume: PodVolume | undefined): string | undefined {
  return volume?.kind === 'host' || volume?.kind === 'block' ? volume.source : undefined;
}
