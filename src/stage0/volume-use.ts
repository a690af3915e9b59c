import { AbiError } from '../abi/json.ts';
import { POD } from '../abi/pod-directory.ts';
import { parseVolumePlan, type VolumePlan } from '../abi/volume-plan.ts';
import { type PodReference, podsDirectory } from '../pod/directory.ts';
import { listPods } from '../pod/listing.ts';
import { readName } from '../pod/name.ts';
import { currentState, observe } from '../pod/observation.ts';
import type { State } from '../pod/state.ts';
import { parseVolumeName, type VolumeName, type VolumeRoot } from '../volume/index.ts';
import { Stage0Error } from './errors.ts';
import type { Host } from './host.ts';

/** A pod that has a volume of the host, or will have it when it runs. */
export interface VolumeUser {
  readonly uuid: string;
  readonly podName: string | undefined;
  readonly state: State;
}

/** One that has ended has let go of its volumes, and one that was not finished never runs. */
const USES: readonly State[] = ['preparing', 'prepared', 'running'];

/** Who uses which volumes. There is no register that could disagree with the pods: they say it themselves. */
export function volumeUsers(host: Host): ReadonlyMap<VolumeName, readonly VolumeUser[]> {
  const users = new Map<VolumeName, VolumeUser[]>();
  for (const pod of listPods(podsDirectory(host.dataDirectory), ['prepare', 'prepared', 'run'])) {
    const names = namedVolumes(pod);
    const state = names.length === 0 ? undefined : currentState(pod);
    if (state === undefined || !USES.includes(state)) continue;
    const user = { uuid: pod.uuid, podName: readName(pod), state };
    for (const name of names) users.set(name, [...(users.get(name) ?? []), user]);
  }
  return users;
}

/** Those of the host's that a pod has, or is to have. */
function namedVolumes(reference: PodReference): readonly VolumeName[] {
  using pod = observe(reference);
  const text = pod?.text(POD.volumes);
  return text === undefined ? [] : [...namedVolumesOf(parseVolumes(reference, text)).keys()];
}

function parseVolumes({ uuid }: PodReference, text: string): VolumePlan {
  try {
    return parseVolumePlan(JSON.parse(text));
  } catch (cause) {
    if (!(cause instanceof AbiError || cause instanceof SyntaxError)) throw cause;
    const where = `pod ${JSON.stringify(uuid)}: ${POD.volumes}`;
    throw new Stage0Error('bad-tree', `${where}: ${cause.message}`, { cause });
  }
}

/** With how each is made where it is not there. */
export function namedVolumesOf({ volumes }: VolumePlan): ReadonlyMap<VolumeName, VolumeRoot> {
  return new Map(
    volumes.flatMap((volume) =>
      volume.kind === 'named' ? [[parseVolumeName(volume.volume), volume] as const] : [],
    ),
  );
}

export function userText({ uuid, podName, state }: VolumeUser): string {
  return `pod ${podName === undefined ? '' : `${JSON.stringify(podName)} `}${JSON.stringify(uuid)} (${state})`;
}
