import { AbiError } from '../../abi/json.ts';
import { POD } from '../../abi/pod-directory.ts';
import { NO_VOLUMES, parseVolumePlan, type VolumeMount, type VolumePlan } from '../../abi/volume-plan.ts';
import { readTextIfPresent } from '../../native/contents.ts';
import { SupervisorError } from '../error.ts';

/** As stage0 has left it in the current directory. @throws SupervisorError `bad-pod` */
export function readVolumePlan(): VolumePlan {
  const text = readTextIfPresent(POD.volumes);
  if (text === undefined) return NO_VOLUMES;
  try {
    return parseVolumePlan(JSON.parse(text));
  } catch (cause) {
    if (!(cause instanceof AbiError || cause instanceof SyntaxError)) throw cause;
    throw new SupervisorError('bad-pod', `${POD.volumes}: ${cause.message}`, { cause });
  }
}

/** In the order in which they are mounted: what is below another is in it. */
export function shallowFirst(mounts: readonly VolumeMount[]): VolumeMount[] {
  const depth = ({ target }: VolumeMount) => target.split('/').length;
  return [...mounts].sort((one, other) => depth(one) - depth(other));
}
