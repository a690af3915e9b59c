import { POD } from '../abi/pod-directory.ts';
import { parseTimeline } from '../abi/timeline.ts';
import type { PodUUID } from '../appc/index.ts';
import { podsDirectory } from '../pod/directory.ts';
import { lookUpPod } from '../pod/listing.ts';
import { observe } from '../pod/observation.ts';
import { Stage0Error } from './errors.ts';
import type { Host } from './host.ts';
import { type StartUp, startUp } from './start-up.ts';

export type { Span, SpanName, StartUp } from './start-up.ts';

export interface Analysis extends StartUp {
  readonly uuid: PodUUID;
}

/** Where the time of a pod's start went. Throws PodError when there is no such pod, Stage0Error `no-timeline`. */
export function analyze(host: Host, uuid: string): Analysis {
  const reference = lookUpPod(podsDirectory(host.dataDirectory), uuid);
  using pod = observe(reference);
  if (pod === undefined) throw new Stage0Error('no-pod', `pod ${JSON.stringify(reference.uuid)} was removed`);
  const found = startUp(parseTimeline(pod.text(POD.timeline) ?? ''));
  if (found === undefined)
    throw new Stage0Error(
      'no-timeline',
      `pod ${JSON.stringify(reference.uuid)} has no timeline of its start`,
    );
  return { uuid: reference.uuid, ...found };
}
