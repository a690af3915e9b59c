import { type PodReference, podsDirectory } from '../pod/directory.ts';
import { lookUpPod } from '../pod/listing.ts';
import { type PodRecord, readPod, readWarnings } from '../pod/record.ts';
import { Stage0Error } from './errors.ts';
import type { Host } from './host.ts';
import { hasEnded, type Patience, until } from './patience.ts';

export interface StatusRequest {
  /** A UUID or the beginning of one. */
  readonly uuid: string;
  /** Wait until the pod no longer runs. */
  readonly wait?: Patience;
  /** Wait until all its apps have been started. */
  readonly waitReady?: Patience;
}

export interface PodStatus extends PodRecord {
  /** Isolators that have no effect among them. */
  readonly warnings: readonly string[];
}

/** What is known of one pod. Throws PodError when there is no such pod, Stage0Error `timed-out`. */
export async function status(host: Host, request: StatusRequest): Promise<PodStatus> {
  const pod = lookUpPod(podsDirectory(host.dataDirectory), request.uuid);
  if (request.wait !== undefined) await until(pod, request.wait, hasEnded, 'exit');
  if (request.waitReady !== undefined) await until(pod, request.waitReady, isReady, 'be ready');
  const record = readPod(pod);
  if (record === undefined) throw new Stage0Error('no-pod', `pod ${JSON.stringify(pod.uuid)} was removed`);
  return { ...record, warnings: readWarnings(pod) };
}

function isReady(pod: PodReference): boolean {
  const record = readPod(pod);
  return record === undefined || record.isReady || hasEnded(pod);
}
