import { type PodManifest, readPodManifest } from '../appc/index.ts';
import { podsDirectory } from '../pod/directory.ts';
import { listPods } from '../pod/listing.ts';
import { readName } from '../pod/name.ts';
import { currentState } from '../pod/observation.ts';
import { readManifestText } from '../pod/record.ts';
import type { State } from '../pod/state.ts';
import { parseVolumeName, type VolumeName } from '../volume/index.ts';
import type { Host } from './host.ts';

/** A pod that has a volume of the host, or will have it when it runs. */
export interface VolumeUser {
  readonly uuid: string;
  readonly podName: string | undefined;
  readonly state: State;
}

/** One that has ended has let go of its volumes, and one that was not finished never runs. */
const USES: readonly State[] = ['preparing', 'prepared', 'running'];

/** Who uses which volumes. There is no register that could disagree with the pods: their manifests say it. */
export function volumeUsers(host: Host): ReadonlyMap<VolumeName, readonly VolumeUser[]> {
  const users = new Map<VolumeName, VolumeUser[]>();
  for (const pod of listPods(podsDirectory(host.dataDirectory), ['prepare', 'prepared', 'run'])) {
    const text = readManifestText(pod);
    const state = currentState(pod);
    if (text === undefined || state === undefined || !USES.includes(state)) continue;
    const user = { uuid: pod.uuid, podName: readName(pod), state };
    for (const name of namedVolumes(readPodManifest(text)))
      users.set(name, [...(users.get(name) ?? []), user]);
  }
  return users;
}

/** Of the pod and of its apps. */
function namedVolumes({ volumes, apps }: PodManifest): VolumeName[] {
  const ofApps = apps.flatMap(({ mounts }) => mounts.flatMap(({ appVolume }) => appVolume ?? []));
  const names = [...volumes, ...ofApps].flatMap((volume) =>
    (volume.kind as string) === 'named'
      ? [parseVolumeName((volume as { source?: string }).source ?? volume.name)]
      : [],
  );
  return [...new Set(names)];
}

export function userText({ uuid, podName, state }: VolumeUser): string {
  return `pod ${podName === undefined ? '' : `${JSON.stringify(podName)} `}${JSON.stringify(uuid)} (${state})`;
}
